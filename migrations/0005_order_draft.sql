-- A change of an order that was typed and could not be done, sealed, beside the checkout form.
alter table customer add column order_draft_sealed bytea;
