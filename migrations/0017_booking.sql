-- Bookings. A bookable thing is a product, and what is bought of it a variant: a room type, a fare class, a service.
-- goods, stay, trip, table or service.
alter table product add column kind text not null default 'goods';

-- What a product has that is booked: where it is, by an IANA zone whose clocks count there, and its rules as JSON.
create table venue (
    product_id text not null primary key references product (id) on delete cascade,
    zone text not null,
    region text not null,
    address text not null,
    latitude double precision,
    longitude double precision,
    policies text not null,
    version bigint not null
);

create index venue_region on venue (region);

-- What a variant of such a product is, as JSON.
create table offer (
    variant_id text not null primary key references variant (id) on delete cascade,
    detail text not null,
    version bigint not null
);

-- What there is one of. `name` is the one that customers are shown.
create table resource (
    id text not null primary key,
    product_id text not null references product (id) on delete cascade,
    kind text not null check (kind in ('person', 'table', 'thing')),
    position bigint not null,
    active boolean not null,
    name text not null,
    detail text not null,
    schedule text not null,
    version bigint not null
);

create index resource_product on resource (product_id, kind, position);

-- Who can do what.
create table resource_offer (
    resource_id text not null references resource (id) on delete cascade,
    variant_id text not null references variant (id) on delete cascade,
    primary key (resource_id, variant_id)
);

create index resource_offer_variant on resource_offer (variant_id);

-- What there is a number of: rooms of a night (of a variant, by the day since 1970), seats of a leg (of a departure), the
-- quota of a fare (of a departure and a variant), covers of a quarter of an hour (of a product). A unit without a row is
-- not to be had.
create table capacity (
    resource_id text not null,
    unit bigint not null,
    total bigint not null check (total >= 0),
    claimed bigint not null check (claimed >= 0),
    primary key (resource_id, unit),
    check (claimed <= total)
);

-- The nights of a room type, worked out of its calendar, so that a search can look for them. `day` counts from 1970.
create table rate (
    variant_id text not null references variant (id) on delete cascade,
    day bigint not null,
    price bigint not null check (price >= 0),
    min_nights bigint not null,
    max_nights bigint not null,
    arrival boolean not null,
    departure boolean not null,
    open boolean not null,
    primary key (variant_id, day)
);

-- `stops` is a JSON list of places with their zones and times; `seats` the layout of a seat map, where seats are chosen.
create table departure (
    id text not null primary key,
    product_id text not null references product (id) on delete cascade,
    stops text not null,
    leaves_at bigint not null,
    arrives_at bigint not null,
    seats text,
    version bigint not null
);

create index departure_when on departure (product_id, leaves_at);

-- The time of what there is one of, in cells of five minutes, or the legs of a seat. Its key is the law: one claim each.
create table calendar_cell (
    resource_id text not null,
    cell_start bigint not null,
    claim_id text not null,
    primary key (resource_id, cell_start)
);

create index calendar_cell_claim on calendar_cell (claim_id);

-- Who has what. A claim of an unpaid order is active, one that was paid for is taken; both count in `capacity` or have
-- their cells. Without an order it is time that the office has blocked. `start_at` and `end_at` are moments (time), legs
-- (seat) or units of a capacity (count), the end not included.
create table claim (
    id text not null primary key,
    order_id text references orders (id),
    position bigint,
    resource_id text not null,
    kind text not null check (kind in ('time', 'seat', 'count')),
    start_at bigint not null,
    end_at bigint not null,
    quantity bigint not null check (quantity > 0),
    state text not null check (state in ('active', 'taken', 'released')),
    expires_at bigint,
    reason text not null,
    check (start_at < end_at)
);

create index claim_resource on claim (resource_id, state, start_at);
create index claim_order on claim (order_id);
