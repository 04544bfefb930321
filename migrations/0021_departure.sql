-- A search for trips looks at the departures of all lines on a date.
create index departure_leaves on departure (leaves_at);
