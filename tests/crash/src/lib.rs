//! Several backends on one PostgreSQL, as they would run: processes of their own behind one address, with a local shop
//! whose customers go on buying. Processes are killed (`kill -9`) and their lines to the database cut, at moments that a
//! seed chooses. In the end their history must say that nothing was lost and nothing happened twice.

pub mod crew;
pub mod front;
pub mod history;
pub mod line;
pub mod traffic;
