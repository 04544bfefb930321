//! A file comes again after the shop has changed: stock that was sold, and variants that were gone meanwhile.

use super::*;

#[tokio::test]
async fn stock_that_is_set_to_another_figure_is_named_and_can_be_kept() {
    both(|shop| async move {
        shop.import(TEA).await;
        // Four are sold; then the file comes again with another title and one more variant.
        shop.exec("update stock set on_hand = 6 where variant_id in (select id from variant where sku = 'TEA-50')")
            .await;
        let file = TEA.replace("绿茶", "新绿茶") + "tea,,,,,500 g,TEA-500,299,8\n";
        let on_hand = async || shop.variants("tea").await.iter().map(|v| v.5).collect::<Vec<_>>();
        let keep = ImportOptions { keep_stock: true, ..ImportOptions::default() };
        let report = shop.run(&shop.file(&file), keep).await;
        assert_eq!((counts(&report), kinds(&report).len()), ([0, 1, 1, 0], 0), "{}", report.text(Locale::En));
        assert_eq!(on_hand().await, [6, 4, 8]);
        let set = ProblemKind::StockSet { sku: "TEA-50".into(), from: 6, to: 10 };
        for dry_run in [true, false] {
            let options = ImportOptions { dry_run, ..ImportOptions::default() };
            let report = shop.run(&shop.file(&file), options).await;
            assert_eq!((kinds(&report), report.problems[0].line, report.stock_set), (vec![&set], 2, 1));
            assert!(!report.has_errors(), "it is no error");
            assert!(report.text(Locale::En).contains("the stock of SKU TEA-50 was set from 6 to 10"));
            assert!(report.text(Locale::ZhCn).contains("SKU TEA-50 的库存由 6 改为 10"));
        }
        assert_eq!(on_hand().await, [10, 4, 8]);
        assert!(shop.import(&file).await.problems.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_variant_is_not_taken_for_another() {
    both(async |shop| {
        let file = |variants: &[(&str, &str)]| {
            let rows = variants.iter().enumerate().map(|(i, (colour, size))| {
                let first = if i == 0 { ("Tee", "Colour", "Size") } else { ("", "", "") };
                format!("tee,{},{},{colour},{},{size},9.00,5\n", first.0, first.1, first.2)
            });
            "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant Price,Variant Inventory Qty\n"
                .to_owned()
                + &rows.collect::<String>()
        };
        let base = [("Black", "S"), ("White", "S"), ("Black", "L")];
        shop.import(&file(&[base[0], base[1], ("White", "M"), base[2]])).await;
        let known: Vec<_> = shop.variants("tee").await.into_iter().map(|variant| variant.1).collect();
        shop.import(&file(&base)).await;
        shop.import(&file(&[base[0], base[1], base[2], ("White", "L")])).await;
        let sold: Vec<_> = shop.variants("tee").await.into_iter().filter(|variant| variant.4).collect();
        let kept = sold.iter().filter(|variant| known.contains(&variant.1)).count();
        assert_eq!((sold.len(), kept), (4, 3), "White in L is a new variant, and not what White in M was");
    })
    .await;
}

#[tokio::test]
async fn a_variant_without_a_sku_that_comes_back_is_the_one_it_was() {
    both(|shop| async move {
        let file = |colours: &[&str]| {
            let rows = colours.iter().enumerate().map(|(i, colour)| {
                let first = if i == 0 { ("Tee", "Colour") } else { ("", "") };
                format!("tee,{},{},{colour},9.00,5\n", first.0, first.1)
            });
            "Handle,Title,Option1 Name,Option1 Value,Price,Inventory quantity\n".to_owned() + &rows.collect::<String>()
        };
        let sold = async || {
            let variants = shop.variants("tee").await;
            variants.into_iter().filter(|variant| variant.4).map(|variant| variant.1).collect::<Vec<_>>()
        };
        shop.import(&file(&["Black", "White", "Red"])).await;
        let known = sold().await;
        // White goes, the others change places, and what it chose would be Black by then.
        shop.import(&file(&["Red", "Black"])).await;
        assert_eq!(sold().await, [known[2].clone(), known[0].clone()]);
        shop.import(&file(&["Blue", "Red", "White", "Black"])).await;
        let back = sold().await;
        assert_eq!(&back[1..], [known[2].clone(), known[1].clone(), known[0].clone()]);
        // However often it goes and comes, there is one row of it, and its stock.
        for _ in 0..3 {
            shop.import(&file(&["Red"])).await;
            shop.import(&file(&["Black", "White", "Red"])).await;
        }
        assert_eq!(sold().await, known);
        assert_eq!(shop.variants("tee").await.len(), 4);
    })
    .await;
}
