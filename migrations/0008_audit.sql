alter table staff add column role text not null default 'owner';

-- What was done that must not be denied: rows are added and never changed. `seal` is a keyed hash over the row and the
-- seal of the row before it, so that none can be changed, added or left out unseen.
create table audit (
    sequence bigint not null primary key,
    at bigint not null,
    actor text not null,
    action text not null,
    subject text not null,
    detail text not null,
    seal text not null
);

create index audit_subject on audit (subject, sequence);
