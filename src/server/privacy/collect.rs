//! Everything that is kept of a customer, as tables. Nothing here is masked: it goes to nobody else.

use super::files::{Table, iso};
use crate::{
    args,
    domain::{
        Result,
        address::Contact,
        address_book::Label,
        money::{Amount, Currency},
    },
    server::{
        App, Ctx,
        account::{addresses, passkey, profile},
        booking::travellers,
        context::internal,
        db::Row,
        order::{self, sealed},
    },
};
use serde_json::{Value, json};

/// The tables with a column `customer_id` whose rows are in the copy, or say nothing of the person: a test compares the
/// list with the database, so that none is forgotten.
pub const COVERED: [&str; 20] = [
    "account",
    "account_target",
    "session",
    "consent",
    "cart",
    "cart_line",
    "cart_booking",
    "waiting",
    "orders",
    "address",
    "favourite",
    "viewed",
    "notification_choice",
    "known_device",
    "second_factor",
    // Open for minutes; the sign-in that comes of one is in the copy.
    "pending_sign_in",
    "passkey",
    // What a browser was asked, for five minutes.
    "passkey_ceremony",
    // Of the copies themselves, and of an erasure, the page tells; and they end with them.
    "privacy_export",
    "account_deletion",
];

/// Reads all of it.
///
/// # Errors
/// When the database cannot be read, or something in it does not open.
pub async fn collect(app: &App, customer: &str, ctx: &Ctx) -> Result<Vec<Table>> {
    let from = Collector { app, customer, ctx };
    let mut tables = vec![from.profile().await?, from.contacts().await?, from.consents().await?];
    tables.extend([
        from.devices().await?,
        from.known_devices().await?,
        from.second_factor().await?,
        from.passkeys().await?,
        from.choices().await?,
    ]);
    tables.extend([from.saved_addresses().await?, from.addresses().await?, from.cart().await?, from.wishes().await?]);
    tables.push(from.waiting().await?);
    tables.extend([from.favourites().await?, from.viewed().await?]);
    tables.extend([
        from.orders().await?,
        from.lines().await?,
        from.bookings().await?,
        from.moves().await?,
        from.travellers().await?,
        from.reviews().await?,
        from.events().await?,
    ]);
    tables.extend([from.payments().await?, from.refunds().await?, from.sharings().await?, from.record().await?]);
    Ok(tables)
}

struct Collector<'a> {
    app: &'a App,
    customer: &'a str,
    ctx: &'a Ctx,
}

/// Reads columns of a row; [`Kind`] says what they hold.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Time,
    Yes,
    /// Minor units of the shop's currency, or of that in a column `currency`.
    Money,
}

impl Collector<'_> {
    async fn rows(&self, sql: &'static str) -> Result<Vec<Row>> {
        Ok(self.app.db.all(sql, args![self.customer]).await?)
    }

    /// A table that is what a statement says.
    async fn plain(
        &self,
        name: &'static str,
        columns: &'static [&'static str],
        kinds: &[Kind],
        sql: &'static str,
    ) -> Result<Table> {
        let rows = self.rows(sql).await?;
        let row = |row: &Row| -> Result<Vec<Value>> {
            columns.iter().zip(kinds).map(|(name, kind)| self.value(row, name, *kind)).collect()
        };
        Ok(Table { name, columns, rows: rows.iter().map(row).collect::<Result<_>>()? })
    }

    fn value(&self, row: &Row, name: &str, kind: Kind) -> Result<Value> {
        Ok(match kind {
            Kind::Text => json!(row.get::<Option<String>>(name)?),
            Kind::Number => json!(row.get::<Option<i64>>(name)?),
            Kind::Yes => json!(row.get::<Option<bool>>(name)?),
            Kind::Time => json!(row.get::<Option<i64>>(name)?.map(iso)),
            Kind::Money => {
                let code = row.get::<String>("currency").ok();
                let currency = code.and_then(|code| Currency::from_code(&code)).unwrap_or(self.app.currency);
                json!(row.get::<Option<i64>>(name)?.map(|amount| Amount(amount).to_decimal(currency)))
            }
        })
    }

    async fn profile(&self) -> Result<Table> {
        let name = profile::name(self.ctx, self.customer).await?;
        let sql =
            "select login, password_hash is not null as has_password, created_at from account where customer_id = $1";
        let rows = self.rows(sql).await?;
        let row = |row: &Row| -> Result<Vec<Value>> {
            let (login, created) = (row.get::<Option<String>>("login")?, row.get::<i64>("created_at")?);
            let password: bool = row.get("has_password")?;
            Ok(vec![json!(self.customer), json!(name), json!(login), json!(password), json!(iso(created))])
        };
        Ok(Table {
            name: "profile",
            columns: &["customer_id", "name", "user_name", "has_password", "created_at"],
            rows: rows.iter().map(row).collect::<Result<_>>()?,
        })
    }

    async fn contacts(&self) -> Result<Table> {
        let targets = profile::targets(self.ctx, self.customer).await?;
        let rows = targets.iter().map(|target| vec![json!(target.kind()), json!(target.value())]).collect();
        Ok(Table { name: "contacts", columns: &["kind", "value"], rows })
    }

    async fn consents(&self) -> Result<Table> {
        let sql = "select purpose, version, granted, at from consent where customer_id = $1 order by at, id";
        let columns = &["purpose", "version", "granted", "at"];
        self.plain("consents", columns, &[Kind::Text, Kind::Text, Kind::Yes, Kind::Time], sql).await
    }

    async fn devices(&self) -> Result<Table> {
        let sql = "select device, by_code, opened_at, seen_at, expires_at from session
            where customer_id = $1 order by opened_at, id";
        let columns = &["device", "by_code", "opened_at", "seen_at", "expires_at"];
        self.plain("devices", columns, &[Kind::Text, Kind::Yes, Kind::Time, Kind::Time, Kind::Time], sql).await
    }

    async fn known_devices(&self) -> Result<Table> {
        let sql = "select first_at, seen_at from known_device where customer_id = $1 order by first_at, device_hash";
        self.plain("known_devices", &["first_at", "seen_at"], &[Kind::Time, Kind::Time], sql).await
    }

    /// That there is a second factor: its secret, and what recovers it, are for signing in alone.
    async fn second_factor(&self) -> Result<Table> {
        let sql = "select f.confirmed_at, (select count(*) from recovery_code r
                where r.owner = f.owner and r.used_at is null) as recovery_codes_left
            from second_factor f where f.customer_id = $1 and f.confirmed_at is not null";
        let columns = &["confirmed_at", "recovery_codes_left"];
        self.plain("second_factor", columns, &[Kind::Time, Kind::Number], sql).await
    }

    /// Their public keys are of use to nobody else, and say nothing of the person.
    async fn passkeys(&self) -> Result<Table> {
        let keys = passkey::of(self.ctx, self.customer).await?;
        let row = |key: &crate::domain::passkey::Passkey| {
            vec![json!(key.name), json!(iso(key.created_at)), json!(key.last_used_at.map(iso))]
        };
        let rows = keys.iter().map(row).collect();
        Ok(Table { name: "passkeys", columns: &["name", "created_at", "last_used_at"], rows })
    }

    async fn choices(&self) -> Result<Table> {
        let sql = "select topic, channel, wanted, changed_at from notification_choice
            where customer_id = $1 order by topic, channel";
        let columns = &["topic", "channel", "wanted", "changed_at"];
        self.plain("notifications", columns, &[Kind::Text, Kind::Text, Kind::Yes, Kind::Time], sql).await
    }

    async fn favourites(&self) -> Result<Table> {
        let sql = "select p.handle, f.added_at from favourite f join product p on p.id = f.product_id
            where f.customer_id = $1 order by f.added_at, p.handle";
        self.plain("favourites", &["handle", "added_at"], &[Kind::Text, Kind::Time], sql).await
    }

    async fn viewed(&self) -> Result<Table> {
        let sql = "select p.handle, v.viewed_at from viewed v join product p on p.id = v.product_id
            where v.customer_id = $1 order by v.viewed_at, p.handle";
        self.plain("viewed", &["handle", "viewed_at"], &[Kind::Text, Kind::Time], sql).await
    }

    /// The addresses that the person keeps.
    async fn saved_addresses(&self) -> Result<Table> {
        let mut rows = Vec::new();
        for address in addresses::of(self.ctx, self.customer).await? {
            let label = match &address.label {
                Some(Label::Own(text)) => Some(text.as_str()),
                label => label.as_ref().map(Label::name),
            };
            let Contact { recipient, phone, email, region, detail } = &address.contact;
            rows.push(vec![
                json!(label),
                json!(address.is_default),
                json!(recipient),
                json!(phone),
                json!(email),
                json!(region),
                json!(address.region_name),
                json!(detail),
            ]);
        }
        let columns = &["label", "default", "recipient", "phone", "email", "region_code", "region", "address"];
        Ok(Table { name: "saved_addresses", columns, rows })
    }

    /// What was typed at checkout last, into the change of an order, and into the form of an address.
    async fn addresses(&self) -> Result<Table> {
        let sql = "select c.checkout_sealed, c.order_draft_sealed from customer c where c.id = $1";
        let mut rows = Vec::new();
        for row in self.rows(sql).await? {
            for (form, column) in [("checkout", "checkout_sealed"), ("order_change", "order_draft_sealed")] {
                let Some(sealed) = row.get::<Option<Vec<u8>>>(column)? else { continue };
                let Value::Object(typed) = order::typed(&self.app.keys, self.customer, column, &sealed)? else {
                    continue;
                };
                rows.extend(typed.into_iter().map(|(field, value)| vec![json!(form), json!(field), value]));
            }
        }
        Ok(Table { name: "addresses", columns: &["form", "field", "value"], rows })
    }

    async fn cart(&self) -> Result<Table> {
        let sql = "select v.sku, t.title, l.quantity, l.price_seen, l.saved, l.added_at from cart_line l
            join variant v on v.id = l.variant_id
            left join product_text t on t.product_id = v.product_id and t.locale = $2
            where l.customer_id = $1 order by l.added_at, l.variant_id";
        let rows = self.app.db.all(sql, args![self.customer, self.ctx.locale.tag()]).await?;
        let columns = &["sku", "title", "quantity", "price_seen", "saved", "added_at"];
        let kinds = [Kind::Text, Kind::Text, Kind::Number, Kind::Money, Kind::Yes, Kind::Time];
        let row = |row: &Row| -> Result<Vec<Value>> {
            columns.iter().zip(kinds).map(|(name, kind)| self.value(row, name, kind)).collect()
        };
        Ok(Table { name: "cart", columns, rows: rows.iter().map(row).collect::<Result<_>>()? })
    }

    /// The bookings in the cart: what of which is wanted, as it was asked for.
    async fn wishes(&self) -> Result<Table> {
        let sql =
            "select v.sku, b.wish, b.price_seen, b.added_at from cart_booking b join variant v on v.id = b.variant_id
            where b.customer_id = $1 order by b.added_at, b.id";
        let columns = &["sku", "wish", "price_seen", "added_at"];
        self.plain("cart_bookings", columns, &[Kind::Text, Kind::Text, Kind::Money, Kind::Time], sql).await
    }

    /// What is waited for.
    async fn waiting(&self) -> Result<Table> {
        let sql = "select v.sku, w.wish, w.asked_at, w.offered_at, w.expires_at
            from waiting w join variant v on v.id = w.variant_id where w.customer_id = $1 order by w.asked_at, w.id";
        let columns = &["sku", "wish", "asked_at", "offered_at", "expires_at"];
        let time = Kind::Time;
        self.plain("waiting", columns, &[Kind::Text, Kind::Text, time, time, time], sql).await
    }

    async fn bookings(&self) -> Result<Table> {
        let sql = "select o.number, l.title, l.label, b.kind, b.zone, b.start_at, b.end_at, b.state, b.detail
            from order_booking b join orders o on o.id = b.order_id
                join order_line l on l.order_id = b.order_id and l.position = b.position
            where o.customer_id = $1 order by o.placed_at, o.id, b.position";
        let columns = &["number", "title", "label", "kind", "zone", "start_at", "end_at", "state", "detail"];
        let (text, time) = (Kind::Text, Kind::Time);
        self.plain("bookings", columns, &[text, text, text, text, text, time, time, text, text], sql).await
    }

    /// Moves of bookings that cost something.
    async fn moves(&self) -> Result<Table> {
        let sql = "select o.number, l.title, m.detail, m.fee, m.due, m.state, m.made_at, m.expires_at, m.ended_at
            from booking_move m join orders o on o.id = m.order_id
                join order_line l on l.order_id = m.order_id and l.position = m.position
            where o.customer_id = $1 order by m.made_at, m.id";
        let columns = &["number", "title", "detail", "fee", "due", "state", "made_at", "expires_at", "ended_at"];
        let (text, money, time) = (Kind::Text, Kind::Money, Kind::Time);
        self.plain("booking_moves", columns, &[text, text, text, money, money, text, time, time, time], sql).await
    }

    async fn travellers(&self) -> Result<Table> {
        let sql = "select o.id, o.number as order_number, t.position, t.number, t.person_sealed
            from traveller t join orders o on o.id = t.order_id
            where o.customer_id = $1 order by o.placed_at, o.id, t.position, t.number";
        let rows = self.rows(sql).await?;
        let row = |row: &Row| -> Result<Vec<Value>> {
            let id: String = row.get("id")?;
            let place = (id.as_str(), row.get("position")?, row.get("number")?);
            let person = travellers::open(&self.app.keys, place, &row.get::<Vec<u8>>("person_sealed")?)?;
            let order = self.value(row, "order_number", Kind::Text)?;
            Ok(vec![order, json!(place.1), json!(person.name), json!(person.document)])
        };
        let rows = rows.iter().map(row).collect::<Result<_>>()?;
        Ok(Table { name: "travellers", columns: &["number", "position", "name", "document"], rows })
    }

    /// Reviews belong to whoever has the order.
    async fn reviews(&self) -> Result<Table> {
        let sql = "select o.number, l.title, r.stars, r.body, r.author, s.name as person, r.person_stars, r.written_at,
                r.changed_at, r.answer, r.answered_at, r.hidden_at, r.hidden_reason
            from review r join orders o on o.id = r.order_id
                join order_line l on l.order_id = r.order_id and l.position = r.position
                left join resource s on s.id = r.resource_id
            where o.customer_id = $1 order by r.written_at, r.id";
        let columns = &[
            "number",
            "title",
            "stars",
            "body",
            "author",
            "person",
            "person_stars",
            "written_at",
            "changed_at",
            "answer",
            "answered_at",
            "hidden_at",
            "hidden_reason",
        ];
        let (text, number, time) = (Kind::Text, Kind::Number, Kind::Time);
        let kinds = [text, text, number, text, text, text, number, time, time, text, time, time, text];
        self.plain("reviews", columns, &kinds, sql).await
    }

    async fn orders(&self) -> Result<Table> {
        let columns = &[
            "number",
            "state",
            "placed_at",
            "currency",
            "goods",
            "discount",
            "shipping",
            "total",
            "payment_method",
            "recipient",
            "phone",
            "email",
            "region_code",
            "region",
            "address",
            "delivery_wish",
            "note",
            "carrier",
            "tracking_number",
            "shipped_at",
        ];
        let sql = "select o.id, o.number, o.state, o.placed_at, o.currency, o.goods, o.discount, o.shipping, o.total,
                o.payment_method, o.region, o.contact_sealed, o.note_sealed, o.delivery_wish,
                s.carrier, s.tracking_number, s.shipped_at
            from orders o left join shipment s on s.order_id = o.id
            where o.customer_id = $1 order by o.placed_at, o.id";
        let rows = self.rows(sql).await?;
        let row = |row: &Row| -> Result<Vec<Value>> {
            let id: String = row.get("id")?;
            let contact = sealed::contact(&self.app.keys, &id, &row.get::<Vec<u8>>("contact_sealed")?)?;
            let note = sealed::note(&self.app.keys, &id, &row.get::<Vec<u8>>("note_sealed")?)?;
            let of = |name, kind| self.value(row, name, kind);
            Ok(vec![
                of("number", Kind::Text)?,
                of("state", Kind::Text)?,
                of("placed_at", Kind::Time)?,
                of("currency", Kind::Text)?,
                of("goods", Kind::Money)?,
                of("discount", Kind::Money)?,
                of("shipping", Kind::Money)?,
                of("total", Kind::Money)?,
                of("payment_method", Kind::Text)?,
                json!(contact.recipient),
                json!(contact.phone),
                json!(contact.email),
                json!(contact.region),
                json!(self.app.divisions.name(&contact.region, self.ctx.locale)),
                json!(contact.detail),
                of("delivery_wish", Kind::Text)?,
                json!(note),
                of("carrier", Kind::Text)?,
                of("tracking_number", Kind::Text)?,
                of("shipped_at", Kind::Time)?,
            ])
        };
        Ok(Table { name: "orders", columns, rows: rows.iter().map(row).collect::<Result<_>>()? })
    }

    async fn lines(&self) -> Result<Table> {
        let sql = "select o.number, o.currency, l.title, l.label, l.sku, l.unit_price, l.quantity
            from order_line l join orders o on o.id = l.order_id
            where o.customer_id = $1 order by o.placed_at, o.id, l.position";
        let columns = &["number", "title", "label", "sku", "unit_price", "currency", "quantity"];
        let kinds = [Kind::Text, Kind::Text, Kind::Text, Kind::Text, Kind::Money, Kind::Text, Kind::Number];
        self.plain("order_lines", columns, &kinds, sql).await
    }

    async fn events(&self) -> Result<Table> {
        let sql = "select o.number, e.at, e.kind from order_event e join orders o on o.id = e.order_id
            where o.customer_id = $1 order by o.placed_at, o.id, e.sequence";
        let rows = self.rows(sql).await?;
        let row = |row: &Row| -> Result<Vec<Value>> {
            let kind: Value =
                serde_json::from_str(&row.get::<String>("kind")?).map_err(|e| internal("database", &e))?;
            Ok(vec![self.value(row, "number", Kind::Text)?, self.value(row, "at", Kind::Time)?, kind])
        };
        let rows = rows.iter().map(row).collect::<Result<_>>()?;
        Ok(Table { name: "order_events", columns: &["number", "at", "event"], rows })
    }

    async fn payments(&self) -> Result<Table> {
        let sql = "select o.number, p.method, p.provider, p.provider_reference, p.amount, p.currency, p.state, p.created_at, p.settled_at
            from payment p join orders o on o.id = p.order_id where o.customer_id = $1 order by p.created_at, p.id";
        let columns = &[
            "number",
            "method",
            "provider",
            "provider_reference",
            "amount",
            "currency",
            "state",
            "created_at",
            "settled_at",
        ];
        let kinds = [
            Kind::Text,
            Kind::Text,
            Kind::Text,
            Kind::Text,
            Kind::Money,
            Kind::Text,
            Kind::Text,
            Kind::Time,
            Kind::Time,
        ];
        self.plain("payments", columns, &kinds, sql).await
    }

    async fn refunds(&self) -> Result<Table> {
        let sql = "select o.number, r.amount, o.currency, r.state, r.requested_at, r.settled_at
            from refund r join orders o on o.id = r.order_id where o.customer_id = $1 order by r.requested_at, r.id";
        let columns = &["number", "amount", "currency", "state", "requested_at", "settled_at"];
        let kinds = [Kind::Text, Kind::Money, Kind::Text, Kind::Text, Kind::Time, Kind::Time];
        self.plain("refunds", columns, &kinds, sql).await
    }

    async fn sharings(&self) -> Result<Table> {
        let sql = "select o.number, s.receiver, s.name, s.data, s.at from order_sharing s
            join orders o on o.id = s.order_id where o.customer_id = $1 order by s.at, s.order_id, s.sequence";
        let columns = &["number", "receiver", "name", "data", "at"];
        self.plain("shared", columns, &[Kind::Text, Kind::Text, Kind::Text, Kind::Text, Kind::Time], sql).await
    }

    /// What the record says of the person: sign-ins and the like.
    async fn record(&self) -> Result<Table> {
        let person = format!("customer:{}", self.customer);
        let sql = "select at, action, subject, detail from audit where actor = $1 or subject = $1 order by sequence";
        let rows = self.app.db.all(sql, args![person]).await?;
        let columns = &["at", "action", "subject", "detail"];
        let kinds = [Kind::Time, Kind::Text, Kind::Text, Kind::Text];
        let row = |row: &Row| -> Result<Vec<Value>> {
            columns.iter().zip(kinds).map(|(name, kind)| self.value(row, name, kind)).collect()
        };
        Ok(Table { name: "record", columns, rows: rows.iter().map(row).collect::<Result<_>>()? })
    }
}
