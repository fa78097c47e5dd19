//! Machines for rent in the shapes of SN4 (`GET /inventory`, open to all) and SN51 (`GET /executors`).

use http::StatusCode;
use serde_json::{Value, json};

use crate::serve::{Answer, Asked, query_parameter, reply};

/// Display name, GPU, how many of them, price of an hour, how many such machines are free.
const INVENTORY: [(&str, Option<&str>, u32, f64, u32); 6] = [
    ("1x H200", Some("H200"), 1, 2.49, 3),
    ("8x H200", Some("H200"), 8, 18.8, 1),
    ("1x H100", Some("H100"), 1, 1.95, 0),
    ("4x H100", Some("H100"), 4, 7.6, 2),
    ("1x RTX 4090", Some("RTX4090"), 1, 0.41, 12),
    ("16 vCPU", None, 0, 0.12, 40),
];

/// Name of the machine, GPUs (none where the machine does not tell), price of an hour, country.
const EXECUTORS: [(&str, Option<u32>, Option<f64>, &str); 6] = [
    ("NVIDIA H100 80GB HBM3", Some(8), Some(14.32), "US"),
    ("NVIDIA H200", Some(8), Some(18.4), "FI"),
    ("NVIDIA GeForce RTX 4090", Some(2), Some(0.7), "DE"),
    ("NVIDIA A100-SXM4-80GB", Some(4), Some(3.96), "US"),
    // What people run at home does not always tell everything.
    ("NVIDIA GeForce RTX 3090", None, Some(0.2), "FR"),
    ("NVIDIA L40S", Some(1), None, "CA"),
];

/// The list of SN4.
pub(crate) fn inventory(request: &Asked) -> Answer {
    let wanted = query_parameter(request, "gpu");
    let rows = INVENTORY.iter().filter(|(_, gpu, ..)| match wanted.as_deref() {
        Some("true") => gpu.is_some(),
        Some("false") => gpu.is_none(),
        _ => true,
    });
    let rows = rows.map(|(display_name, gpu, count, cost_per_hour, available)| {
        json!({
            "name": display_name.to_lowercase().replace(' ', "-"),
            "display_name": display_name,
            "type": "rental",
            "gpu": gpu.is_some(),
            "spec": {"gpu_type": gpu, "gpu_count": count, "vcpu": 16, "memory": 128, "storage": 1000},
            "cost_per_hour": cost_per_hour,
            "available": available,
        })
    });
    reply(StatusCode::OK, &rows.collect())
}

/// The list of SN51.
pub(crate) fn executors(request: &Asked) -> Answer {
    let size = query_parameter(request, "size").and_then(|size| size.parse().ok()).unwrap_or(usize::MAX);
    let rows = EXECUTORS.iter().enumerate().take(size);
    let rows = rows.map(|(index, (machine_name, gpus, price, country))| {
        let mut row = json!({
            "id": format!("ex-{}", index + 1),
            "machine_name": machine_name,
            "location": {"country": country},
            "specs": {"gpu": gpus.map_or_else(|| json!({}), |count| json!({ "count": count }))},
            "status": "available",
        });
        if let (Some(row), Some(price)) = (row.as_object_mut(), price) {
            row.insert("price_per_hour".into(), json!(price));
        }
        row
    });
    reply(StatusCode::OK, &rows.collect::<Vec<Value>>().into())
}
