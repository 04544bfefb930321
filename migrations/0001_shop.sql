-- One text for SQLite and PostgreSQL. Times are UTC milliseconds, amounts minor units, ids UUIDv7.

create table setting (
    key text not null primary key,
    value text not null
);

-- People. Columns that end in _sealed hold authenticated ciphertext, columns that end in _hash a keyed hash to find it.
create table customer (
    id text not null primary key,
    created_at bigint not null,
    checkout_sealed bytea
);

create table staff (
    id text not null primary key,
    login text not null unique,
    password_hash text not null,
    created_at bigint not null
);

create table staff_session (
    token_hash text not null primary key,
    staff_id text not null references staff (id) on delete cascade,
    created_at bigint not null,
    expires_at bigint not null
);

-- Catalogue.
create table category (
    id text not null primary key,
    handle text not null unique,
    parent_id text references category (id),
    position bigint not null
);

create index category_parent on category (parent_id, position);

create table category_text (
    category_id text not null references category (id) on delete cascade,
    locale text not null,
    title text not null,
    primary key (category_id, locale)
);

create table product (
    id text not null primary key,
    handle text not null unique,
    status text not null check (status in ('active', 'draft', 'archived')),
    brand text not null,
    category_id text references category (id),
    tags text not null,
    price_min bigint not null,
    price_max bigint not null,
    compare_at bigint,
    image text,
    sales bigint not null,
    created_at bigint not null,
    updated_at bigint not null
);

create index product_category on product (category_id, status);
create index product_newest on product (status, created_at, id);
create index product_sales on product (status, sales, id);
create index product_price on product (status, price_min, id);
create index product_brand on product (brand, status);

-- `options` is a JSON list of {name, values}; `words` is what the plain search looks through, in lower case.
create table product_text (
    product_id text not null references product (id) on delete cascade,
    locale text not null,
    title text not null,
    description_html text not null,
    seo_title text not null,
    seo_description text not null,
    options text not null,
    tags text not null,
    words text not null,
    primary key (product_id, locale)
);

create table product_image (
    product_id text not null references product (id) on delete cascade,
    position bigint not null,
    media text not null,
    alt text not null,
    width bigint not null,
    height bigint not null,
    source text not null,
    primary key (product_id, position)
);

-- `choices` is a JSON list of indexes into the product's option values.
create table variant (
    id text not null primary key,
    product_id text not null references product (id) on delete cascade,
    position bigint not null,
    sku text not null,
    barcode text not null,
    choices text not null,
    price bigint not null check (price >= 0),
    compare_at bigint,
    grams bigint not null check (grams >= 0),
    image_position bigint,
    backorder boolean not null,
    active boolean not null,
    version bigint not null
);

create index variant_product on variant (product_id, position);
create unique index variant_sku on variant (sku) where sku <> '';

create table stock (
    variant_id text not null references variant (id) on delete cascade,
    location text not null,
    on_hand bigint not null check (on_hand >= 0),
    held bigint not null check (held >= 0),
    primary key (variant_id, location),
    check (held <= on_hand)
);

-- Carts.
create table cart (
    customer_id text not null primary key references customer (id) on delete cascade,
    version bigint not null,
    updated_at bigint not null
);

create table cart_line (
    customer_id text not null references cart (customer_id) on delete cascade,
    variant_id text not null references variant (id) on delete cascade,
    quantity bigint not null check (quantity > 0),
    price_seen bigint not null,
    saved boolean not null,
    added_at bigint not null,
    primary key (customer_id, variant_id)
);

-- Orders.
create table orders (
    id text not null primary key,
    number text not null unique,
    customer_id text not null references customer (id),
    submit_key text not null,
    state text not null check (state in ('to_pay', 'to_ship', 'shipped', 'completed', 'cancelled')),
    version bigint not null,
    locale text not null,
    currency text not null,
    goods bigint not null,
    discount bigint not null,
    shipping bigint not null,
    total bigint not null,
    quantity bigint not null,
    grams bigint not null,
    region text not null,
    delivery_wish text not null,
    payment_method text not null,
    contact_sealed bytea not null,
    note_sealed bytea not null,
    phone_hash text not null,
    email_hash text,
    words text not null,
    placed_at bigint not null,
    expires_at bigint not null,
    changed_at bigint not null,
    unique (customer_id, submit_key)
);

create index orders_customer on orders (customer_id, placed_at);
create index orders_state on orders (state, placed_at);
create index orders_expiry on orders (state, expires_at);

create table order_line (
    order_id text not null references orders (id) on delete cascade,
    position bigint not null,
    variant_id text not null,
    product_id text not null,
    handle text not null,
    title text not null,
    label text not null,
    sku text not null,
    image text,
    unit_price bigint not null,
    compare_at bigint,
    quantity bigint not null check (quantity > 0),
    grams bigint not null,
    primary key (order_id, position)
);

-- Claims on stock. A hold is active while the order is unpaid and ends as taken or released.
create table hold (
    order_id text not null references orders (id) on delete cascade,
    variant_id text not null,
    location text not null,
    quantity bigint not null check (quantity > 0),
    state text not null check (state in ('active', 'taken', 'released')),
    primary key (order_id, variant_id, location)
);

create index hold_variant on hold (variant_id, state);

create table order_event (
    order_id text not null references orders (id) on delete cascade,
    sequence bigint not null,
    kind text not null,
    at bigint not null,
    actor text not null,
    primary key (order_id, sequence)
);

create table shipment (
    order_id text not null primary key references orders (id) on delete cascade,
    carrier text not null,
    tracking_number text not null,
    shipped_at bigint not null
);

-- Money. A payment is one attempt to pay an order; its id is the key under which the provider knows it.
create table payment (
    id text not null primary key,
    order_id text not null references orders (id),
    method text not null,
    provider text not null,
    amount bigint not null,
    currency text not null,
    state text not null check (state in ('pending', 'succeeded', 'failed')),
    provider_reference text,
    cashier_url text,
    created_at bigint not null,
    settled_at bigint
);

create index payment_order on payment (order_id, created_at);

create table refund (
    id text not null primary key,
    payment_id text not null unique references payment (id),
    order_id text not null references orders (id),
    amount bigint not null,
    reason text not null,
    state text not null check (state in ('pending', 'succeeded')),
    requested_at bigint not null,
    settled_at bigint
);

create index refund_order on refund (order_id);

-- Effects that leave after the transaction which causes them.
create table outbox (
    id text not null primary key,
    kind text not null,
    payload text not null,
    attempts bigint not null,
    next_at bigint not null,
    done_at bigint
);

create index outbox_due on outbox (done_at, next_at);
