#pragma once

#include <string_view>

namespace mlps::reports::page {

/// The style sheet of the page. Series have the colours s1 to s8, cells of heat maps h0 to h9; on paper the page is
/// light, and its drawings fill the first side.
inline constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--bg:#fff;--ink:#1b2430;--soft:#5a6676;--line:#dfe4ea;--band:#f0f4f9;--pause:#f7e3c4;
--c1:#2f6fb2;--c2:#1d9a8a;--c3:#7a5cc0;--c4:#d9822b;--c5:#c8333f;--c6:#98a2b0;--c7:#b5651d;--c8:#6cb8d9;--good:#1c7c43;--bad:#b3261e;--heat:#d1480f;--cell:#e9eef4}
@media (prefers-color-scheme:dark){:root{--bg:#14181e;--ink:#e6eaf0;--soft:#9aa6b5;--line:#2c343f;--band:#1d2430;--pause:#4a3a20;
--c1:#6aa5e3;--c2:#3fc1ae;--c3:#a991e8;--c4:#eba059;--c5:#ff6b74;--c6:#7d8896;--c7:#d08b4f;--c8:#8fd3ee;--good:#58c982;--bad:#ff7d74;--heat:#ff7a3d;--cell:#263040}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1080px;padding:1.2rem;background:var(--bg);color:var(--ink);font:15px/1.45 system-ui,sans-serif}
h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:1.6rem 0 .4rem}h3{font-size:.95rem;margin:0 0 .3rem}p{margin:.3rem 0}
.sub,.remark,footer{color:var(--soft);overflow-wrap:anywhere}.sub,.remark,footer{font-size:.82rem}
.answer{font-size:1.15rem;font-weight:600;overflow-wrap:anywhere}.good{color:var(--good)}.bad{color:var(--bad)}
.verdict{display:inline-block;border:1px solid currentColor;border-radius:4px;padding:0 .5rem;font-size:.85rem}
.note{border-left:3px solid var(--c4);padding-left:.7rem;margin:.7rem 0;font-size:.88rem}.note ul{margin:.1rem 0;padding-left:1.1rem}
.note li{overflow-wrap:anywhere}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:.6rem;margin:.9rem 0}
.figures div{border:1px solid var(--line);border-radius:6px;padding:.4rem .6rem;overflow-wrap:anywhere}
.figures b{display:block;font-size:1.15rem}.figures span{color:var(--soft);font-size:.78rem;display:block}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(340px,100%),1fr));gap:1rem}
.curve{max-width:35rem}
.plot{min-width:0}.wide{grid-column:1/-1}.scroll{overflow-x:auto}
svg{display:block;width:100%;height:auto}.wide svg{min-width:640px}
svg text{fill:var(--soft);font:12px system-ui,sans-serif}svg .end{text-anchor:end}svg .middle{text-anchor:middle}svg .small{font-size:11px}
svg .onbar{fill:var(--bg);font-weight:600;font-size:11px}
svg .halo{fill:var(--c5);font-weight:600;paint-order:stroke;stroke:var(--bg);stroke-width:4px}
.grid{stroke:var(--line);fill:none}.base{stroke:var(--soft);fill:none}.band{fill:var(--band);background:var(--band)}
.pause{fill:var(--pause);background:var(--pause)}.demand{stroke:var(--c5);stroke-width:1.6;stroke-dasharray:6 4;fill:none}.above{stroke-dasharray:2 5}
.area1{fill:var(--c1);fill-opacity:.75}.area2{fill:var(--c2);fill-opacity:.75}.retry{fill:var(--c5);background:var(--c5);stroke:var(--bg)}
.s1{fill:var(--c1);background:var(--c1)}.s2{fill:var(--c2);background:var(--c2)}.s3{fill:var(--c3);background:var(--c3)}
.s4{fill:var(--c4);background:var(--c4)}.s5{fill:var(--c5);background:var(--c5)}.s6{fill:var(--c6);background:var(--c6)}
.s7{fill:var(--c7);background:var(--c7)}.s8{fill:var(--c8);background:var(--c8)}
.ring.s7{stroke:var(--c7)}.ring.s8{stroke:var(--c8)}.curve.s1,.curve.s2,.curve.s3,.curve.s4,.curve.s5,.curve.s6{fill:none;stroke-width:2}.curve.s1,.ring.s1{stroke:var(--c1)}.curve.s2,.ring.s2{stroke:var(--c2)}.curve.s3,.ring.s3{stroke:var(--c3)}
.curve.s4,.ring.s4{stroke:var(--c4)}.curve.s5,.ring.s5{stroke:var(--c5)}.curve.s6,.ring.s6{stroke:var(--c6)}.ring.s1,.ring.s2,.ring.s3,.ring.s4,.ring.s5,.ring.s6,.ring.s7,.ring.s8{fill:none;stroke-width:1.6}
.h0,.h1,.h2,.h3,.h4,.h5,.h6,.h7,.h8,.h9{fill:var(--heat)}.h0{fill:var(--cell);background:var(--cell)}.h1{fill-opacity:.18}.h2{fill-opacity:.27}
.h3{fill-opacity:.36}.h4{fill-opacity:.45}.h5{fill-opacity:.54}.h6{fill-opacity:.63}.h7{fill-opacity:.74}.h8{fill-opacity:.86}.h9{background:var(--heat)}
.absent{fill:none;stroke:var(--line)}
.legend{font-size:.8rem;color:var(--soft)}.legend i{display:inline-block;width:.8em;height:.8em;margin-right:.3em;border-radius:2px}
.legend span{margin-right:.8em;white-space:nowrap}.none{border:1px dashed var(--line);border-radius:6px;padding:.7rem;color:var(--soft);font-size:.85rem}
table{border-collapse:collapse;width:100%;font-size:.8rem}th,td{text-align:left;vertical-align:top;padding:.1rem .5rem .1rem 0;
border-bottom:1px solid var(--line);overflow-wrap:anywhere}th{color:var(--soft);font-weight:600}
.tables{columns:2 420px;column-gap:1.6rem}.tables table{table-layout:fixed}.tables th:first-child{width:46%}.tables th:nth-child(3){width:19%}
.answers{margin:.5rem 0}.answers th{width:7rem;white-space:nowrap}
.hosts{overflow-x:auto;margin-bottom:.6rem}.hosts td,.hosts th{min-width:4em;overflow-wrap:normal}
.differing td{min-width:7em;overflow-wrap:anywhere}.differing td:first-child{overflow-wrap:normal}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.78rem;background:var(--band);padding:.5rem;border-radius:4px}
@media print{:root{color-scheme:light;--bg:#fff;--ink:#000;--soft:#444;--line:#ccc;--band:#eef2f7;--pause:#f7e3c4;--c1:#2f6fb2;--c2:#1d9a8a;--c3:#7a5cc0;
--c4:#d9822b;--c5:#c8333f;--c6:#98a2b0;--c7:#b5651d;--c8:#6cb8d9;--good:#1c7c43;--bad:#b3261e;--heat:#d1480f;--cell:#e9eef4}
@page{size:A4;margin:9mm}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}html{font-size:8pt}
body{max-width:none;padding:0;font-size:8pt;line-height:1.25}h1{font-size:13pt}h2{font-size:10pt;margin:.4rem 0 .2rem}h3{font-size:7.5pt}
.answer{font-size:10.5pt}.figures{grid-template-columns:repeat(5,1fr);gap:.3rem;margin:.3rem 0}.figures b{font-size:9pt}.figures span{font-size:6pt}
.note{margin:.2rem 0;font-size:6pt}.note ul{columns:2}.plots{grid-template-columns:1fr 1fr 1fr;gap:.3rem .8rem}.plot{break-inside:avoid}
.wide svg{max-height:52mm;width:auto;max-width:100%;min-width:0;margin:0 auto}.plot:not(.wide) svg text{font-size:15px}
.sub,.remark,footer,.legend,.none{font-size:5.8pt;margin:.1rem 0}.none{padding:.2rem}.expert{break-before:page}
.tables{columns:3;column-gap:.6rem}table{font-size:5pt;line-height:1.15}td,th{padding:0 .2rem 0 0}.hosts td,.hosts th{min-width:0}
pre{font-size:5.5pt;padding:.2rem;margin:.2rem 0}}
)";

}  // namespace mlps::reports::page
