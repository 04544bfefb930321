-- A password that the operator chose is replaced by one of the person's own at the first sign-in.
alter table staff add column must_change boolean not null default false;

-- The last sign-in.
alter table staff add column signed_in_at bigint;

-- A session of the office ends when it is not used for a while.
alter table staff_session add column seen_at bigint not null default 0;

update staff_session set seen_at = created_at;
