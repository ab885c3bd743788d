//! Looks names up and hands out public addresses only. The connection goes to what was handed out.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::is_public;

/// A name stands for something that not everybody reaches.
#[derive(Debug, thiserror::Error)]
#[error("the name stands for an address that is not public")]
pub(super) struct NotPublic;

pub(super) struct Guard<N> {
    names: Arc<N>,
}

impl<N> Guard<N> {
    pub(super) fn new(names: N) -> Self {
        Guard { names: Arc::new(names) }
    }
}

impl<N: Resolve + 'static> Resolve for Guard<N> {
    fn resolve(&self, name: Name) -> Resolving {
        let names = self.names.clone();
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = names.resolve(name).await?.collect();
            // One that is not public spoils the name: whoever mixes them means to be let in by chance.
            if !addresses.iter().all(|address| is_public(address.ip())) {
                return Err(NotPublic.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Names as this machine knows them.
pub(super) struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The port is the request's.
            let addresses: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::HashMap;
    use std::net::IpAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Names as a test knows them.
    pub struct Names {
        known: HashMap<String, Vec<IpAddr>>,
        asked: Arc<AtomicUsize>,
    }

    impl Names {
        pub fn new(known: &[(&str, &[&str])]) -> Self {
            let addresses = |list: &[&str]| list.iter().map(|address| address.parse().unwrap()).collect();
            let known = known.iter().map(|(name, list)| ((*name).to_owned(), addresses(list))).collect();
            Names { known, asked: Arc::default() }
        }

        pub fn asked(&self) -> Arc<AtomicUsize> {
            self.asked.clone()
        }
    }

    impl Resolve for Names {
        fn resolve(&self, name: Name) -> Resolving {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let addresses = self.known.get(name.as_str()).cloned().unwrap_or_default();
            Box::pin(
                async move { Ok(Box::new(addresses.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs) },
            )
        }
    }

    async fn looked_up(addresses: &[&str]) -> Option<usize> {
        let guard = Guard::new(Names::new(&[("x.example", addresses)]));
        guard.resolve("x.example".parse().unwrap()).await.ok().map(Iterator::count)
    }

    #[tokio::test]
    async fn names_of_public_addresses_only_are_known() {
        assert_eq!(looked_up(&["8.8.8.8", "2606:4700::1111"]).await, Some(2));
        assert_eq!(looked_up(&[]).await, Some(0));
        for spoilt in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:192.168.0.1"] {
            assert_eq!(looked_up(&[spoilt]).await, None, "{spoilt}");
            assert_eq!(looked_up(&["8.8.8.8", spoilt]).await, None, "{spoilt}");
            assert_eq!(looked_up(&[spoilt, "8.8.8.8"]).await, None, "{spoilt}");
        }
    }

    #[tokio::test]
    async fn this_machine_knows_itself_and_the_guard_does_not_tell() {
        assert!(System.resolve("localhost".parse().unwrap()).await.is_ok_and(|found| found.count() > 0));
        for name in ["localhost", "localhost."] {
            assert!(Guard::new(System).resolve(name.parse().unwrap()).await.is_err(), "{name}");
        }
    }
}
