//! The rules of the books.

use super::Rule;

/// Pieces on hand and held, against orders and what was changed.
pub(super) const STOCK: [Rule; 6] = [
    Rule {
        says: "what is held of a variant is what unpaid orders hold",
        sql: "select s.variant_id as subject, s.held as found, coalesce(h.pieces, 0) as expected
            from stock s left join (
                select variant_id, location, cast(sum(quantity) as bigint) as pieces from hold
                where state = 'active' group by variant_id, location
            ) h on h.variant_id = s.variant_id and h.location = s.location
            where s.held <> coalesce(h.pieces, 0)",
    },
    Rule {
        says: "orders hold what there is",
        sql: "select h.variant_id as subject, h.quantity as found, cast(0 as bigint) as expected from hold h
            where h.state = 'active' and not exists (
                select 1 from stock s where s.variant_id = h.variant_id and s.location = h.location)",
    },
    Rule {
        says: "on hand is what was imported and changed, less what was sold",
        sql: "select s.variant_id as subject, s.on_hand as found,
                s.imported + coalesce(c.pieces, 0) - coalesce(h.pieces, 0) as expected
            from stock s left join (
                select variant_id, location, cast(sum(difference) as bigint) as pieces from stock_change
                group by variant_id, location
            ) c on c.variant_id = s.variant_id and c.location = s.location left join (
                select variant_id, location, cast(sum(quantity) as bigint) as pieces from hold
                where state = 'taken' group by variant_id, location
            ) h on h.variant_id = s.variant_id and h.location = s.location
            where s.on_hand <> s.imported + coalesce(c.pieces, 0) - coalesce(h.pieces, 0)",
    },
    Rule {
        says: "unpaid orders hold, paid ones have taken, cancelled ones have nothing",
        sql: "select o.number as subject, h.quantity as found, cast(0 as bigint) as expected
            from hold h join orders o on o.id = h.order_id
            where h.state = 'active' and o.state <> 'to_pay'
                or h.state = 'taken' and o.state not in ('to_ship', 'shipped', 'completed')",
    },
    Rule {
        says: "an order has as many pieces as its lines say",
        sql: "select o.number as subject, h.quantity as found, coalesce(l.pieces, 0) as expected
            from hold h join orders o on o.id = h.order_id left join (
                select l.order_id, l.variant_id, cast(sum(l.quantity) as bigint) as pieces from order_line l
                where not exists (
                    select 1 from order_booking b where b.order_id = l.order_id and b.position = l.position)
                group by l.order_id, l.variant_id
            ) l on l.order_id = h.order_id and l.variant_id = h.variant_id
            where h.state <> 'released' and h.quantity <> coalesce(l.pieces, 0)",
    },
    Rule {
        says: "an unpaid order holds all of its goods that are sold from stock",
        sql: "select o.number as subject, cast(0 as bigint) as found, l.quantity as expected
            from orders o join order_line l on l.order_id = o.id join variant v on v.id = l.variant_id
            where o.state = 'to_pay' and not v.backorder
                and not exists (
                    select 1 from order_booking b where b.order_id = l.order_id and b.position = l.position)
                and not exists (select 1 from hold h
                    where h.order_id = l.order_id and h.variant_id = l.variant_id and h.state = 'active')",
    },
];

/// Payments and refunds, against orders, their bookings and moves of these.
pub(super) const MONEY: [Rule; 10] = [
    Rule {
        says: "a paid order has the payments that it and moves of its bookings cost",
        sql: "select o.number as subject, coalesce(p.amount, 0) as found, o.total + coalesce(b.added, 0) as expected
            from orders o left join (
                select p.order_id, cast(sum(p.amount) as bigint) as amount from payment p
                where p.state = 'succeeded'
                    and not exists (select 1 from refund r where r.payment_id = p.id and r.part = 'whole')
                group by p.order_id
            ) p on p.order_id = o.id left join (
                select order_id, cast(sum(added) as bigint) as added from order_booking group by order_id
            ) b on b.order_id = o.id
            where o.state in ('to_ship', 'shipped', 'completed')
                and coalesce(p.amount, 0) <> o.total + coalesce(b.added, 0)",
    },
    Rule {
        says: "an order is paid once",
        sql: "select o.number as subject, p.payments as found, cast(1 as bigint) as expected
            from orders o join (
                select p.order_id, count(*) as payments from payment p
                where p.state = 'succeeded' and p.move_id is null
                    and not exists (select 1 from refund r where r.payment_id = p.id and r.part = 'whole')
                group by p.order_id
            ) p on p.order_id = o.id
            where p.payments > 1",
    },
    Rule {
        says: "an unpaid order has no payment that came in",
        sql: "select o.number as subject, p.amount as found, cast(0 as bigint) as expected
            from payment p join orders o on o.id = p.order_id
            where o.state = 'to_pay' and p.state = 'succeeded'
                and not exists (select 1 from refund r where r.payment_id = p.id and r.part = 'whole')",
    },
    Rule {
        says: "a payment for a move is one of the order whose booking is moved",
        sql: "select p.id as subject, cast(0 as bigint) as found, p.amount as expected
            from payment p left join booking_move m on m.id = p.move_id
            where p.move_id is not null and (m.id is null or m.order_id <> p.order_id)",
    },
    Rule {
        says: "a move that was made is paid once, and no other",
        sql: "select m.id as subject, coalesce(p.amount, 0) as found,
                case when m.state = 'paid' then m.due else 0 end as expected
            from booking_move m left join (
                select p.move_id, cast(sum(p.amount) as bigint) as amount from payment p
                where p.state = 'succeeded' and p.move_id is not null and not exists (
                    select 1 from refund r where r.payment_id = p.id and r.reason = 'not expected')
                group by p.move_id
            ) p on p.move_id = m.id
            where coalesce(p.amount, 0) <> case when m.state = 'paid' then m.due else 0 end",
    },
    Rule {
        says: "what was added to a booking is what its moves cost",
        sql: "select o.number as subject, b.added as found, coalesce(m.due, 0) as expected
            from order_booking b join orders o on o.id = b.order_id left join (
                select order_id, position, cast(sum(due) as bigint) as due from booking_move
                where state = 'paid' group by order_id, position
            ) m on m.order_id = b.order_id and m.position = b.position
            where b.added <> coalesce(m.due, 0)",
    },
    Rule {
        says: "of a cancelled order all goes back but what was kept of its bookings",
        sql: "select o.number as subject, coalesce(p.amount, 0) as found, coalesce(b.kept, 0) as expected
            from orders o left join (
                select p.order_id, cast(sum(p.amount - coalesce((
                    select cast(sum(r.amount) as bigint) from refund r where r.payment_id = p.id), 0)) as bigint) as amount
                from payment p
                where p.state = 'succeeded' and not exists (
                    select 1 from refund r where r.payment_id = p.id and r.reason = 'not expected')
                group by p.order_id
            ) p on p.order_id = o.id left join (
                select order_id, cast(sum(kept + fees) as bigint) as kept from order_booking group by order_id
            ) b on b.order_id = o.id
            where o.state = 'cancelled' and coalesce(p.amount, 0) <> coalesce(b.kept, 0)",
    },
    Rule {
        says: "a refund is of a payment of its order that came in",
        sql: "select r.id as subject, cast(0 as bigint) as found, r.amount as expected
            from refund r join payment p on p.id = r.payment_id
            where r.order_id <> p.order_id or p.state <> 'succeeded'",
    },
    Rule {
        says: "no more goes back of a payment than it was",
        sql: "select p.id as subject, r.amount as found, p.amount as expected
            from payment p join (
                select payment_id, cast(sum(amount) as bigint) as amount from refund
                where reason <> 'not expected' group by payment_id
            ) r on r.payment_id = p.id
            where r.amount > p.amount",
    },
    Rule {
        says: "a refund that is not done waits to be carried out",
        sql: "select r.id as subject, cast(0 as bigint) as found, cast(1 as bigint) as expected from refund r
            where r.state = 'pending' and not exists (select 1 from outbox e
                where e.kind = 'payment' and e.done_at is null and e.payload like '%' || r.id || '%')",
    },
];

/// Claims, against the state of their orders and of the moves that they are held for.
pub(super) const BOOKED: [Rule; 1] = [Rule {
    says: "claims of unpaid orders and of held moves are held, of paid ones taken, of others released",
    sql: "select o.number as subject, k.quantity as found, cast(0 as bigint) as expected
        from claim k join orders o on o.id = k.order_id left join booking_move m on m.id = k.move_id
        where k.state = 'active' and k.move_id is null and o.state <> 'to_pay'
            or k.state = 'active' and k.move_id is not null
                and (coalesce(m.state, '') <> 'held' or o.state not in ('to_ship', 'shipped'))
            or k.state = 'taken' and (k.move_id is not null or o.state not in ('to_ship', 'shipped', 'completed'))",
}];

/// Claims, against their cells and what is counted. A cell of time is five minutes, one of a seat a leg.
pub(super) const CLAIMS: [Rule; 3] = [
    Rule {
        says: "of a capacity as much is counted as is claimed",
        sql: "select c.resource_id || ':' || c.unit as subject, c.claimed as found,
                coalesce(cast(sum(k.quantity) as bigint), 0) as expected
            from capacity c left join claim k on k.resource_id = c.resource_id and k.kind = 'count'
                and k.state <> 'released' and k.start_at <= c.unit and k.end_at > c.unit
            group by c.resource_id, c.unit, c.claimed, c.total
            having c.claimed <> coalesce(cast(sum(k.quantity) as bigint), 0) or c.claimed > c.total",
    },
    Rule {
        says: "a claim has a cell for each part of its time",
        sql: "select k.id as subject,
                coalesce(c.cells, 0) * case when k.kind = 'seat' then 1 else 300000 end as found,
                case when k.state = 'released' then 0 else k.end_at - k.start_at end as expected
            from claim k left join (
                select claim_id, count(*) as cells from calendar_cell group by claim_id
            ) c on c.claim_id = k.id
            where k.kind <> 'count' and coalesce(c.cells, 0) * case when k.kind = 'seat' then 1 else 300000 end
                <> case when k.state = 'released' then 0 else k.end_at - k.start_at end",
    },
    Rule {
        says: "a cell is one of its claim",
        sql: "select c.resource_id || ':' || c.cell_start as subject, cast(1 as bigint) as found,
                cast(0 as bigint) as expected
            from calendar_cell c left join claim k on k.id = c.claim_id
            where k.id is null or k.kind = 'count' or k.resource_id <> c.resource_id
                or c.cell_start < k.start_at or c.cell_start >= k.end_at
                or k.kind = 'time' and (c.cell_start - k.start_at) % 300000 <> 0",
    },
];

/// Units of counts that have no capacity any more.
pub(super) const UNCOUNTED: &str = "select (
        select cast(coalesce(sum(k.end_at - k.start_at), 0) as bigint) from claim k
        where k.kind = 'count' and k.state <> 'released'
    ) - (
        select count(*) from claim k join capacity c
            on c.resource_id = k.resource_id and c.unit >= k.start_at and c.unit < k.end_at
        where k.kind = 'count' and k.state <> 'released'
    ) as n";
