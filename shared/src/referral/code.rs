//! Codes: what advocates hand on.

use core::{fmt, str::FromStr};

/// What an advocate hands on: eight signs, none of which looks like another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code([u8; Code::SIGNS]);

/// What is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a referral's code has eight letters and digits")]
pub struct NoCode;

impl Code {
    /// How many signs it has.
    pub const SIGNS: usize = 8;
    /// The attribute of carts, and so of orders, that says who sent the shopper.
    pub const ATTRIBUTE: &'static str = "_loyalty_ref";
    /// The parameter of links that carries it.
    pub const PARAMETER: &'static str = "ref";

    /// Without 0 and O, 1, I and L, and without U, which would make words.
    const ALPHABET: &'static [u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// The code that a number makes; a random one of 64 bits makes each as likely.
    pub fn of(number: u64) -> Code {
        let mut left = number;
        Code(core::array::from_fn(|_| {
            let sign = Code::ALPHABET[(left % 30) as usize];
            left /= 30;
            sign
        }))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|sign| fmt::Write::write_char(f, char::from(*sign)))
    }
}

/// However it is written: in capitals or not, with blanks around it.
impl FromStr for Code {
    type Err = NoCode;

    fn from_str(text: &str) -> Result<Code, NoCode> {
        let signs: [u8; Code::SIGNS] = text.trim().as_bytes().try_into().map_err(|_| NoCode)?;
        let signs = signs.map(|sign| sign.to_ascii_uppercase());
        if signs.iter().all(|sign| Code::ALPHABET.contains(sign)) { Ok(Code(signs)) } else { Err(NoCode) }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_written() {
        let code: Code = "7K3M9QXW".parse().unwrap();
        assert_eq!(" 7k3m9qxw\n".parse(), Ok(code));
        assert_eq!(code.to_string(), "7K3M9QXW");
        for text in ["", "7K3M9QX", "7K3M9QXWW", "7K3M9QX0", "7K3M9QXI", "7K3M-QXW", "<script>", "７K3M9Q"] {
            assert_eq!(text.parse::<Code>(), Err(NoCode), "{text}");
        }
        assert_eq!(Code::of(0).to_string(), "22222222");
        assert_eq!(Code::of(u64::MAX).to_string().parse(), Ok(Code::of(u64::MAX)));
        assert_ne!(Code::of(1), Code::of(30));
    }
}
