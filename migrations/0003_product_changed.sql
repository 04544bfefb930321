-- For the running shop, which looks every second for products that an import beside it changed.
create index product_changed on product (updated_at);
