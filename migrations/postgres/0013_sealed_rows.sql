-- Rows without a seal are found by `audit_unsealed`, in order; by this one SQLite would sort them all for every seal.
drop index if exists audit_seal_rows;
create index audit_seal_rows on audit (seal, subject, sequence) where seal is not null;
