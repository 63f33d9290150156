// How a picture of a history looks: colours, letters, lines.  CSS, SVG 1.1
#pragma once

#include <string_view>

namespace soquete::sim {

// Colours are few, and each is legible on white and on black paper.
inline constexpr std::string_view picture_style = R"css(<style>
text{font:12px ui-sans-serif,system-ui,"Segoe UI","Helvetica Neue",Arial,sans-serif;fill:#1f2328}
.small{font-size:11px;fill:#636c76}
.mono,.label{font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.label{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}
.name{font-weight:600;font-size:13px}
.head{font-weight:600;font-size:16px}
.end{text-anchor:end}.mid{text-anchor:middle}
.paper{fill:#fff}
.box{fill:#f6f8fa;stroke:#d0d7de}
.life{stroke:#afb8c1;stroke-width:1.5}
.down{stroke:#d1242f;stroke-width:1.5;stroke-dasharray:1 5;stroke-linecap:round}
.faint{stroke:#d8dee4}
.gap{stroke:#fff;stroke-width:5}
.gapdots{stroke:#afb8c1;stroke-width:1.5;stroke-dasharray:2 4}
.arrow path,.arrow line{fill:none;stroke-width:1.5}
.arrow .hit{stroke:transparent;stroke-width:11;pointer-events:stroke}
.arrow:hover .on{stroke-width:3}
.stream .on{stroke:#0969da}.stream .tip,text.stream{fill:#0969da}
.datagram .on{stroke:#0f766e}.datagram .tip,text.datagram{fill:#0f766e}
.control .on{stroke:#7d8590}.control .tip,text.control{fill:#636c76}
.reset .on{stroke:#d1242f}.reset .tip,text.reset{fill:#d1242f}
.copy .on{stroke:#8250df}.copy .tip,text.copy{fill:#8250df}
.arrow .late{stroke-dasharray:8 3}
.arrow .held{stroke-dasharray:2 4}
.cross{stroke:#d1242f;stroke-width:2}
.arrow .cross{stroke-width:2}
.bad{fill:#d1242f}text.bad{fill:#d1242f}
.badline{stroke:#d1242f;stroke-width:1.5}
.endline{stroke:#7d8590;stroke-dasharray:6 4}
.pause{fill:#fff;stroke:#9a6700;stroke-width:1.5}text.pause,text.cut{fill:#9a6700;stroke:#fff}
.cutline{stroke:#9a6700;stroke-width:1.5}
.hatched{fill:url(#hatch)}
.up{fill:#fff;stroke:#57606a;stroke-width:1.5}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}.small{fill:#8d96a0}.label{stroke:#0d1117}
.paper{fill:#0d1117}.box{fill:#161b22;stroke:#30363d}
.life{stroke:#57606a}.faint{stroke:#30363d}.gap{stroke:#0d1117}.gapdots{stroke:#57606a}
.down,.cross,.badline{stroke:#ff7b72}.bad,text.bad{fill:#ff7b72}
.stream .on{stroke:#6cb6ff}.stream .tip,text.stream{fill:#6cb6ff}
.datagram .on{stroke:#56d4c4}.datagram .tip,text.datagram{fill:#56d4c4}
.control .on{stroke:#8d96a0}.control .tip,text.control{fill:#9198a1}
.reset .on{stroke:#ff7b72}.reset .tip,text.reset{fill:#ff7b72}
.copy .on{stroke:#c297ff}.copy .tip,text.copy{fill:#c297ff}
.endline{stroke:#8d96a0}.up{fill:#0d1117;stroke:#8d96a0}
.pause{fill:#0d1117;stroke:#d29922}text.pause,text.cut{fill:#d29922;stroke:#0d1117}.cutline{stroke:#d29922}
}
</style>
<defs><pattern id="hatch" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
<line class="cutline" x1="0" y1="0" x2="0" y2="4"/></pattern></defs>
)css";

}  // namespace soquete::sim
