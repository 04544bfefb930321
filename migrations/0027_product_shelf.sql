-- For the picture of a category, which is that of its best selling product: found without going through all of them.
create index product_shelf on product (category_id, status, sales desc, id);
