-- What customers say of what they bought: one review of each line of an order. Whose it is the order tells; one of an
-- account that was erased has none any more, nor has one of the demo shop. `author` is the name as it is shown, covered
-- when it was written, and empty for somebody without one. `resource_id` is who came, `person_stars` what was thought of
-- them. Hidden reviews are neither shown nor counted; of one whose author removed it while it was hidden (`removed_at`) the
-- words are gone.
create table review (
    id text not null primary key,
    product_id text not null references product (id) on delete cascade,
    variant_id text not null,
    order_id text references orders (id) on delete set null,
    position bigint,
    author text not null,
    stars bigint not null check (stars between 1 and 5),
    body text not null,
    resource_id text,
    person_stars bigint check (person_stars between 1 and 5),
    written_at bigint not null,
    changed_at bigint not null,
    answer text,
    answered_at bigint,
    hidden_at bigint,
    hidden_reason text not null default '',
    removed_at bigint,
    version bigint not null,
    unique (order_id, position)
);

create index review_product on review (product_id, written_at, id);
create index review_newest on review (written_at, id);

-- The sum and the number of the stars of a product's reviews that are shown; changed in the transactions that change those.
alter table product add column rating_sum bigint not null default 0;
alter table product add column rating_count bigint not null default 0;
