-- `version` grows with each change of the pieces on hand that is no sale: a change names the version it saw.
alter table stock add column version bigint not null default 0;

-- What the office did to the pieces on hand. The version it made is part of the key, so that a change which is sent
-- again is found and not made again.
create table stock_change (
    variant_id text not null references variant (id) on delete cascade,
    location text not null,
    version bigint not null,
    difference bigint not null,
    staff text not null,
    at bigint not null,
    primary key (variant_id, location, version)
);
