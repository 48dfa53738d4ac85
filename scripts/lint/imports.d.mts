export interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

export declare function importsOf(text: string): Import[];
export declare function valueImports(root: string, files: readonly string[]): Map<string, string[]>;
export declare function circles(graph: ReadonlyMap<string, readonly string[]>): string[][];
