//! Opens a local shop with a pleasant little catalogue, and the demo's page at `/`.

mod demo;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use devshop::{
    App, BucketSettings, CombinesWith, DevShop, DiscountClass, Function, NewDiscount, Settings, seed,
};

/// A local Shopify: storefront API, Admin API, checkout with real Functions, webhooks.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 9393)]
    port: u16,
    /// Where the app answers.
    #[arg(long)]
    app_url: Option<String>,
    /// The app's client id.
    #[arg(long, env = "SHOPIFY_API_KEY", default_value = "devshop-key")]
    api_key: String,
    /// The app's client secret.
    #[arg(long, env = "SHOPIFY_API_SECRET", default_value = "devshop-secret", hide_env_values = true)]
    api_secret: String,
    /// The Admin access token the app must send.
    #[arg(long, env = "LOYALNEST_SHOP_TOKEN", default_value = "devshop-token", hide_env_values = true)]
    admin_token: String,
    /// Folder of extensions, whose Functions are installed.
    #[arg(long, value_name = "DIR")]
    functions: Option<PathBuf>,
    /// Folder of the extensions' bundles, for the pages that run them.
    #[arg(long, value_name = "DIR")]
    bundles: Option<PathBuf>,
    /// Also puts every Function to work as an automatic discount of this title, for when no app does.
    #[arg(long, value_name = "TITLE")]
    discount: Option<String>,
    /// So many customers more.
    #[arg(long, default_value_t = 0)]
    customers: u32,
    /// The shop's plan, which says how fast the bucket of its Admin API fills.
    #[arg(long, value_enum, default_value_t = Plan::Standard)]
    plan: Plan,
}

#[derive(Clone, Copy, ValueEnum)]
enum Plan {
    Standard,
    Advanced,
    Plus,
    Enterprise,
}

impl Plan {
    fn bucket(self) -> BucketSettings {
        let restore_rate = match self {
            Plan::Standard => 100,
            Plan::Advanced => 200,
            Plan::Plus => 1_000,
            Plan::Enterprise => 2_000,
        };
        // It holds what comes back in 20 seconds.
        BucketSettings { capacity: restore_rate * 20, restore_rate }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter =
        tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "devshop=info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match open(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("devshop: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn open(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let functions = match &arguments.functions {
        Some(folder) => Function::load_all(folder)?,
        None => Vec::new(),
    };
    let app = App {
        api_key: arguments.api_key,
        api_secret: arguments.api_secret,
        admin_token: arguments.admin_token,
        ..App::default()
    };
    let bucket = arguments.plan.bucket();
    let settings = Settings { port: arguments.port, app, bucket, ..demo::settings()? };
    let pages = |shop: &DevShop| {
        let surfaces = demo::surfaces(shop, arguments.bundles);
        demo::router(shop, arguments.functions.as_deref()).merge(surfaces)
    };
    let shop = DevShop::start_with_pages(settings, pages).await?;
    seed(&shop);
    for number in 1..=arguments.customers {
        shop.add_customer("Customer", &number.to_string(), &format!("customer-{number}@example.com"));
    }
    // The app comes to a shop that has all this already.
    shop.webhooks().forget();
    shop.set_app_url(arguments.app_url.as_deref());
    for function in functions {
        let handle = function.handle.clone();
        shop.install(function);
        if let Some(title) = &arguments.discount {
            shop.add_discount(NewDiscount {
                title: title.clone(),
                function_handle: handle,
                classes: vec![DiscountClass::Product, DiscountClass::Order, DiscountClass::Shipping],
                combines_with: CombinesWith::ALL,
            })?;
        }
    }
    println!("{}", serde_json::json!({"url": shop.url(), "shop": shop.settings().domain}));
    tokio::signal::ctrl_c().await?;
    shop.close();
    Ok(())
}
