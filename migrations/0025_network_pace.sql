-- How much of its measure of guesses a network has used, on whichever node: until when, in UTC milliseconds, it pays for
-- those it made. The network is a keyed hash. What is over says nothing any more.
create table network_pace (
    network_hash text not null primary key,
    paid_at bigint not null
);

create index network_pace_over on network_pace (paid_at);
