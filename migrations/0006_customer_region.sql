-- The division code of the address that was typed last, so that a cart can be priced for it: no more than a district.
alter table customer add column region text;
