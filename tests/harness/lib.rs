//! What the stories are told with: the real server as a process, clients, an operator and a webhook sink that
//! live in the test and so outlive the server, proxies that lie on purpose, and one checker over all their books.

pub mod checker;
pub mod console;
pub mod dump;
pub mod http;
pub mod ledger;
pub mod liars;
pub mod load;
pub mod moment;
pub mod operator;
pub mod seed;
pub mod server;
pub mod setup;
pub mod simulated;
pub mod sink;
pub mod site;
pub mod small_disk;
pub mod spans;
pub mod stage;
pub mod wait;
