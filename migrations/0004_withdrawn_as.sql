-- What a variant was when it was withdrawn: a JSON list of [option, value], because its choices point into options that
-- change after that. Empty while it is sold, and for those withdrawn before this column was there.
alter table variant add column withdrawn_as text not null default '';
