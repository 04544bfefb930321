//! Building blocks without knowledge of what is sold.

pub mod address;
pub mod breadcrumbs;
pub mod copy;
pub mod countdown;
pub mod dialog;
pub mod field;
pub mod form;
pub mod head;
pub mod icon;
pub mod links;
pub mod method;
pub mod order_state;
pub mod pagination;
pub mod picture;
pub mod price;
pub mod product_card;
pub mod scroll;
pub mod shell;
pub mod skeleton;
pub mod stepper;
pub mod strip;
pub mod summary;
pub mod time;
pub mod timeline;
pub mod travel;
pub mod typed;
