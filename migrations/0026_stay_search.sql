-- A search for rooms reads a few nights of many room types. These have all that it asks for, so that it need not look up each
-- night, which lies wherever it was written: nights of a room type are added as days go by.
create index rate_search on rate (variant_id, day, open, price, arrival, departure, min_nights, max_nights);
create index capacity_search on capacity (resource_id, unit, total, claimed);
