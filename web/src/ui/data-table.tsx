import type { ReactNode } from "react";

export interface Column<Row> {
  readonly id: string;
  readonly label: string;
  readonly cell: (row: Row) => ReactNode;
  /** Names its row, for screen readers. */
  readonly heads?: boolean;
  /** Aligned to the right. */
  readonly number?: boolean;
  /** Left out where there is little width. */
  readonly wide?: boolean;
  /** Buttons and links: the label is for screen readers only. */
  readonly actions?: boolean;
  readonly look?: (row: Row) => string;
  /** Shown on hover, for example the exact time. */
  readonly title?: (row: Row) => string;
}

interface DataTableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string | number;
  readonly rowLook?: (row: Row) => string;
  /** Said by screen readers before the table. */
  readonly caption?: string;
  readonly className?: string;
  /** False for one that always fits: it is then no stop on the way of the Tab key. */
  readonly scrolls?: boolean;
}

function classes(column: Column<never>, ...more: readonly string[]): string | undefined {
  const words = [column.number === true ? "number" : "", column.wide === true ? "wide-only" : "", ...more].filter((word) => word !== "");
  return words.length === 0 ? undefined : words.join(" ");
}

/** A table that scrolls within itself, by keyboard too, when it does not fit. */
export function DataTable<Row>({ label, columns, rows, rowKey, rowLook, caption, className = "", scrolls = true }: DataTableProps<Row>) {
  const table = (
    <table className={`table ${className}`}>
      {caption !== undefined && <caption className="visually-hidden">{caption}</caption>}
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.id} scope="col" className={classes(column)}>
              {column.actions === true ? <span className="visually-hidden">{column.label}</span> : column.label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={rowKey(row)} className={rowLook?.(row)}>
            {columns.map((column) => {
              const look = classes(column, column.actions === true ? "row-actions" : "", column.look?.(row) ?? "");
              const title = column.title?.(row);
              return column.heads === true ? (
                <th key={column.id} scope="row" className={look} title={title}>
                  {column.cell(row)}
                </th>
              ) : (
                <td key={column.id} className={look} title={title} data-label={column.label}>
                  {column.cell(row)}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
  if (!scrolls) return table;
  return (
    <div className="table-scroll" tabIndex={0} role="group" aria-label={label}>
      {table}
    </div>
  );
}
