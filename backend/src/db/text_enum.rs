//! Enums kept as short text.

/// Declares an enum that both engines keep as text, readable in the database and checked when read.
///
/// ```
/// loyalnest::text_enum! {
///     /// What became of a message.
///     #[derive(Hash)]
///     pub enum State {
///         /// Not yet done.
///         Ready = "ready",
///         /// Done.
///         Done = "done",
///     }
/// }
/// assert_eq!(State::Done.as_str(), "done");
/// assert_eq!(State::parse("ready"), Some(State::Ready));
/// assert_eq!(State::parse("Ready"), None);
/// ```
#[macro_export]
macro_rules! text_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident {
        $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $name {
            $($(#[$variant_meta])* $variant),+
        }

        impl $name {
            /// The text in the database.
            $vis const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            /// The value with this text, if there is one.
            $vis fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some($name::$variant),)+ _ => None }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        $crate::text_enum!(@engine $name, $crate::db::private::sqlx::Sqlite);
        $crate::text_enum!(@engine $name, $crate::db::private::sqlx::Postgres);

        impl $crate::db::private::sqlx::postgres::PgHasArrayType for $name {
            fn array_type_info() -> $crate::db::private::sqlx::postgres::PgTypeInfo {
                <&str as $crate::db::private::sqlx::postgres::PgHasArrayType>::array_type_info()
            }
        }
    };

    (@engine $name:ident, $engine:ty) => {
        impl $crate::db::private::sqlx::Type<$engine> for $name {
            fn type_info() -> <$engine as $crate::db::private::sqlx::Database>::TypeInfo {
                <&str as $crate::db::private::sqlx::Type<$engine>>::type_info()
            }

            fn compatible(ty: &<$engine as $crate::db::private::sqlx::Database>::TypeInfo) -> bool {
                <&str as $crate::db::private::sqlx::Type<$engine>>::compatible(ty)
            }
        }

        impl<'q> $crate::db::private::sqlx::Encode<'q, $engine> for $name {
            fn encode_by_ref(
                &self,
                buffer: &mut <$engine as $crate::db::private::sqlx::Database>::ArgumentBuffer,
            ) -> Result<
                $crate::db::private::sqlx::encode::IsNull,
                $crate::db::private::sqlx::error::BoxDynError,
            > {
                $crate::db::private::sqlx::Encode::<'q, $engine>::encode(self.as_str(), buffer)
            }
        }

        impl<'r> $crate::db::private::sqlx::Decode<'r, $engine> for $name {
            fn decode(
                value: <$engine as $crate::db::private::sqlx::Database>::ValueRef<'r>,
            ) -> Result<Self, $crate::db::private::sqlx::error::BoxDynError> {
                let text = <&str as $crate::db::private::sqlx::Decode<'r, $engine>>::decode(value)?;
                $name::parse(text)
                    .ok_or_else(|| format!("{text:?} is no {}", stringify!($name)).into())
            }
        }
    };
}
