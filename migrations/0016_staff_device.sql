-- The browsers on which a member of staff was signed in, by a keyed hash of a cookie that stays there.
create table staff_device (
    staff_id text not null references staff (id) on delete cascade,
    device_hash text not null,
    first_at bigint not null,
    seen_at bigint not null,
    primary key (staff_id, device_hash)
);
