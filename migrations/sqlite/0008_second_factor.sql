-- A code of RFC 6238 beside the password. The secret is base32; the step is the last one whose code was taken.
alter table account add column otp_secret text;
alter table account add column otp_step bigint;
-- whole; code: the password was right and the code is to come; setup: the role needs a second factor and has none yet.
alter table session add column stage text not null default 'whole';
