//! Addresses: each place gets a range of its own, and each world a part of the internet of its own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::chance::Chance;

/// Hands out ranges.
#[derive(Debug)]
pub struct Places {
    world: usize,
    next: u32,
}

/// A /24 or a /64.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    number: u32,
    world: usize,
    v6: bool,
}

impl Places {
    pub fn new(world: usize) -> Self {
        Self { world, next: 0 }
    }

    pub fn v4(&mut self) -> Place {
        self.place(false)
    }

    /// Four in ten homes are reached over IPv6, where each has a /64 to itself (Google's and APNIC's counters stand
    /// between 40 and 50 in a hundred since 2023).
    pub fn home(&mut self, chance: &mut Chance) -> Place {
        let v6 = chance.often(0.4);
        self.place(v6)
    }

    fn place(&mut self, v6: bool) -> Place {
        self.next += 1;
        Place { number: self.next, world: self.world, v6 }
    }
}

impl Place {
    pub fn is_v6(self) -> bool {
        self.v6
    }

    /// One address of the range; `host` is taken modulo what fits.
    pub fn host(self, host: u32) -> IpAddr {
        let [_, high, middle, low] = self.number.to_be_bytes();
        if self.v6 {
            let world = u16::try_from(self.world).unwrap_or(0);
            let site = u16::from_be_bytes([middle, low]);
            return IpAddr::V6(Ipv6Addr::new(0x2a00, world, site, u16::from(high), 0, 0, 0, (host % 250) as u16 + 1));
        }
        // From 20.0.0.0 upwards: public addresses, eight blocks of 65,536 ranges for each world.
        let first = 20 + (self.world as u8 * 8) + high;
        IpAddr::V4(Ipv4Addr::new(first, middle, low, (host % 250) as u8 + 1))
    }
}
