//! What staff may do, and the roles that are sets of it. Whoever adds a server function names its permission here.

use serde::{Deserialize, Serialize};

/// One thing that not everybody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Permission {
    /// See orders, with their recipients masked.
    SeeOrders,
    /// See who receives an order, and where. Each time is on record.
    SeeRecipients,
    /// Hand an order to a carrier, and say that it has arrived.
    Ship,
    /// Cancel an order; what was paid is refunded.
    Cancel,
    /// See stock and prices.
    SeeStock,
    /// Change the pieces on hand.
    AdjustStock,
    /// Change prices.
    SetPrices,
    /// See and change who works here, and in which role.
    ManageStaff,
    /// See reviews, answer them, hide them and show them again.
    TendReviews,
    /// Read the record of what was done.
    ReadAudit,
}

/// What somebody works as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Answers customers.
    Support,
    /// Packs and ships.
    Warehouse,
    /// Buys in.
    Purchasing,
    /// Looks after money.
    Finance,
    /// Runs the shop from day to day.
    Manager,
    /// Owns the shop.
    Owner,
}

impl Role {
    pub const ALL: [Self; 6] =
        [Self::Support, Self::Warehouse, Self::Purchasing, Self::Finance, Self::Manager, Self::Owner];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Support => "support",
            Self::Warehouse => "warehouse",
            Self::Purchasing => "purchasing",
            Self::Finance => "finance",
            Self::Manager => "manager",
            Self::Owner => "owner",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// What this role may do.
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission::{
            AdjustStock, Cancel, ManageStaff, ReadAudit, SeeOrders, SeeRecipients, SeeStock, SetPrices, Ship,
            TendReviews,
        };
        match self {
            Self::Support => &[SeeOrders, SeeRecipients, Cancel, SeeStock, TendReviews],
            Self::Warehouse => &[SeeOrders, SeeRecipients, Ship, SeeStock, AdjustStock],
            Self::Purchasing => &[SeeStock, AdjustStock],
            Self::Finance => &[SeeOrders, Cancel, SeeStock, SetPrices, ReadAudit],
            Self::Manager => {
                &[SeeOrders, SeeRecipients, Ship, Cancel, SeeStock, AdjustStock, SetPrices, TendReviews, ReadAudit]
            }
            Self::Owner => &[
                SeeOrders,
                SeeRecipients,
                Ship,
                Cancel,
                SeeStock,
                AdjustStock,
                SetPrices,
                ManageStaff,
                TendReviews,
                ReadAudit,
            ],
        }
    }

    pub fn may(self, permission: Permission) -> bool {
        self.permissions().contains(&permission)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_may_do_what_anybody_may() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
            assert!(role.permissions().iter().all(|permission| Role::Owner.may(*permission)), "{role:?}");
        }
        assert!(!Role::Warehouse.may(Permission::SetPrices));
        assert!(!Role::Manager.may(Permission::ManageStaff));
    }
}
