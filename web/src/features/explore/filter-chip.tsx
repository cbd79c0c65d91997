import { useQuery } from "@tanstack/react-query";
import { queries } from "../../api/services.js";
import type { FilterSpec } from "../../live/query-spec.js";
import { text } from "../../messages/en.js";
import { ChipMenu } from "../../ui/menu.js";

const t = text.explore;

function words({ except, values }: FilterSpec): string {
  if (values.length === 0) return t.anyValue;
  if (except && values.length === 1 && values[0] === "") return t.anyValue;
  const shown = values.slice(0, 3).map((value) => (value === "" ? t.without : value));
  const rest = values.length > 3 ? `, ${text.chart.more(values.length - 3)}` : "";
  return `${except ? `${t.except} ` : ""}${shown.join(", ")}${rest}`;
}

interface FilterChipProps {
  readonly stream: string;
  readonly filter: FilterSpec;
  readonly onChange: (filter: FilterSpec) => void;
}

/** One dimension's filter: the values it really has, to be ticked. */
export function FilterChip({ stream, filter, onChange }: FilterChipProps) {
  const { dimension, except, values } = filter;
  const list = useQuery({
    queryKey: ["values", stream, dimension],
    queryFn: () => queries.listDimensionValues({ stream, dimension }),
  });
  const any = except && values.length === 1 && values[0] === "";
  const known = [...new Set([...(list.data?.values ?? []), ...values])].filter((value) => value !== "");
  const toggle = (value: string): void => {
    if (any) onChange({ dimension, except: false, values: [value] });
    else onChange({ dimension, except, values: values.includes(value) ? values.filter((v) => v !== value) : [...values, value] });
  };
  return (
    <ChipMenu
      name={dimension}
      value={words(filter)}
      several
      search={t.searchValues}
      items={[
        { id: "\u0000any", label: t.anyValue, checked: any, onSelect: () => onChange({ dimension, except: true, values: [""] }) },
        { id: "\u0000none", label: t.without, checked: !any && values.includes(""), onSelect: () => toggle("") },
        ...known.map((value) => ({ id: value, label: value, checked: !any && values.includes(value), onSelect: () => toggle(value) })),
        ...(any ? [] : [{ id: "\u0000except", label: t.except, checked: except, onSelect: () => onChange({ dimension, except: !except, values }) }]),
      ]}
      {...(list.data?.truncated === true ? { footer: <p className="menu-note faint">{t.truncated}</p> } : {})}
    />
  );
}
