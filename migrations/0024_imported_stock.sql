-- For whoever checks the books: the pieces on hand that imports brought, or took away, so that on hand is always what was
-- imported and what the office changed, less what was sold. Of what was there before it is taken to be right.
alter table stock add column imported bigint not null default 0;

update stock set imported = on_hand
    + coalesce((select cast(sum(h.quantity) as bigint) from hold h
        where h.variant_id = stock.variant_id and h.location = stock.location and h.state = 'taken'), 0)
    - coalesce((select cast(sum(c.difference) as bigint) from stock_change c
        where c.variant_id = stock.variant_id and c.location = stock.location), 0);
