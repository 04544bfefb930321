-- How many codes left by text message on a day, which is counted from 1970-01-01 in UTC: each costs money.
create table sms_day (
    day bigint not null primary key,
    sent bigint not null
);
