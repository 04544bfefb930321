//! Products: a file of 100,000 rows by the command that merchants use.

use crate::{
    client::memory_kib,
    load::{goal, median},
};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const ROWS: usize = 100_000;
const VARIANTS: usize = 8;
const RUNS: usize = 3;

/// Into an empty shop, with only checking it as the reference, and once more when nothing has changed.
pub fn products(program: &str, folder: &Path) {
    let file = folder.join("products.csv");
    fs::write(&file, large(ROWS, VARIANTS)).unwrap();
    let (mut checked, mut imported, mut again, mut memory) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..RUNS {
        let data = tempfile::tempdir_in(folder).unwrap();
        checked.push(run(program, data.path(), &file, &["--dry-run"]).0);
        let (seconds, peak) = run(program, data.path(), &file, &[]);
        imported.push(seconds);
        memory = memory.max(peak);
        again.push(run(program, data.path(), &file, &[]).0);
    }
    let (checked, imported) = (median(&mut checked), median(&mut imported));
    println!(
        "import of {ROWS} rows: {imported:.1} s ({}: 60 s), {:.1} times as long as to check them only ({checked:.1} s); {:.1} s when nothing has changed; memory at most {memory} MiB ({}: 300 MiB)",
        goal(imported, 0.0..=60.0),
        imported / checked,
        median(&mut again),
        goal(memory as f64, 0.0..=300.0),
    );
}

/// Seconds and the peak of memory in MiB.
pub fn run(program: &str, data: &Path, file: &Path, more: &[&str]) -> (f64, u64) {
    let begin = Instant::now();
    let mut command = Command::new(program);
    command.arg("--data").arg(data).args(["import", "shopify"]).arg(file).args(more);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut peak = 0;
    let done = loop {
        peak = peak.max(memory_kib(child.id(), "VmHWM") / 1024);
        match child.try_wait().unwrap() {
            Some(done) => break done,
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    };
    assert!(done.success(), "{more:?}");
    (begin.elapsed().as_secs_f64(), peak)
}

/// A file as large shops have it: products with several variants, descriptions, tags and categories.
pub fn large(rows: usize, variants: usize) -> String {
    let mut file = String::from(
        "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,Status\n",
    );
    let colours = ["黑色", "白色", "雾蓝", "驼色"];
    let sizes = ["S", "M", "L", "XL"];
    for row in 0..rows {
        let (product, place) = (row / variants, row % variants);
        let (colour, size) = (colours[place / 4 % 4], sizes[place % 4]);
        if place == 0 {
            let line = format!(
                "item-{product},商品 {product} 号,\"<p>这是第 {product} 号商品的<strong>描述</strong>，讲材质、工艺和用法。</p>\n<ul><li>经久耐用</li><li>三年质保</li></ul>\n<table><tbody><tr><th>材质</th><td>棉 {}%</td></tr><tr><th>产地</th><td>中国</td></tr></tbody></table>\",品牌 {},分类 {} > 子类 {},类型 {},\"新品, 热卖, 标签{}\",TRUE,颜色,{colour},尺码,{size}",
                product % 100,
                product % 200,
                product % 20,
                product % 160,
                product % 50,
                product % 300
            );
            file.push_str(&line);
        } else {
            file.push_str(&format!("item-{product},,,,,,,,,{colour},,{size}"));
        }
        file.push_str(&format!(
            ",SKU-{product}-{place},{},shopify,{},deny,{}.90,{},{}\n",
            200 + place,
            row % 500,
            19 + row % 400,
            500 + row % 7,
            if place == 0 { "active" } else { "" }
        ));
    }
    file
}
