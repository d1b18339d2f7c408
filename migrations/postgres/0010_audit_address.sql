-- What came from one address, newest first.

create index audit_address on audit (address, at, subject, sequence) where address is not null;
