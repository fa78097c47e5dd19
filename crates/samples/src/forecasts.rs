//! Price forecasts in the shape of SN50: `GET /insights/..`. Prices stand still, so that runs can be repeated, and are
//! expected to spread with the square root of time.

use http::StatusCode;
use serde_json::{Value, json};

use crate::serve::{Answer, Asked, problem, query_parameter, reply};

struct Asset {
    name: &'static str,
    price: f64,
    /// Volatility of a year, in percent.
    volatility: f64,
    /// How likely its price rises in the next hour, and how likely a market takes that to be.
    up: (f64, f64),
}

const fn asset(name: &'static str, price: f64, volatility: f64, up: (f64, f64)) -> Asset {
    Asset { name, price, volatility, up }
}

const ASSETS: [Asset; 11] = [
    asset("BTC", 91_000.5, 42.0, (0.54, 0.5)),
    asset("ETH", 3_120.25, 58.0, (0.48, 0.51)),
    asset("SOL", 137.4, 71.0, (0.52, 0.53)),
    asset("XAU", 4_150.0, 18.0, (0.51, 0.5)),
    asset("SPY", 668.5, 14.0, (0.5, 0.5)),
    asset("NVDA", 181.2, 46.0, (0.53, 0.55)),
    asset("GOOGL", 298.7, 31.0, (0.49, 0.5)),
    asset("TSLA", 402.1, 60.0, (0.47, 0.49)),
    asset("AAPL", 271.6, 27.0, (0.5, 0.52)),
    asset("XRP", 2.15, 82.0, (0.45, 0.48)),
    asset("HYPE", 33.4, 95.0, (0.55, 0.5)),
];

/// Percentiles that a forecast gives, and where they lie in standard deviations.
const PERCENTILES: [(&str, f64); 9] = [
    ("0.005", -2.576),
    ("0.05", -1.645),
    ("0.2", -0.842),
    ("0.35", -0.385),
    ("0.5", 0.0),
    ("0.65", 0.385),
    ("0.8", 0.842),
    ("0.95", 1.645),
    ("0.995", 2.576),
];

const HOURS_OF_A_YEAR: f64 = 365.0 * 24.0;

/// What is asked about the asset of the query.
pub(crate) fn answer(request: &Asked) -> Answer {
    let name = query_parameter(request, "asset").unwrap_or_default();
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "asset is not one that is forecast");
    };
    let hours = if query_parameter(request, "horizon").as_deref() == Some("1h") { 1 } else { 24 };
    let body = match request.uri().path() {
        "/insights/prediction-percentiles" => percentiles(asset, hours),
        "/insights/volatility" => json!({"forecast_future": {"average_volatility": asset.volatility}}),
        "/insights/polymarket/up-down/hourly" => json!({
            "synth_probability_up": asset.up.0, "polymarket_probability_up": asset.up.1,
        }),
        _ => return problem(StatusCode::NOT_FOUND, "Not Found"),
    };
    reply(StatusCode::OK, &body)
}

/// Twelve steps to the horizon, from now on.
fn percentiles(asset: &Asset, hours: u32) -> Value {
    let steps = (0..=12_u32).map(|step| {
        let elapsed = f64::from(step * hours) / 12.0 / HOURS_OF_A_YEAR;
        let deviation = asset.price * asset.volatility / 100.0 * elapsed.sqrt();
        let row = PERCENTILES
            .iter()
            .map(|(name, place)| ((*name).to_owned(), json!(asset.price + place * deviation)));
        Value::Object(row.collect())
    });
    json!({"current_price": asset.price, "forecast_future": {"percentiles": steps.collect::<Vec<_>>()}})
}
