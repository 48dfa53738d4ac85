export type Version = 'stable' | 'newest';

export interface VsCode {
  readonly version: string;
  /** Folder of VS Code's server. */
  readonly directory: string;
  /** The Node that runs it. */
  readonly node: string;
}

export declare class CannotLay extends Error {}
/** @throws {CannotLay} */
export declare function layVscode(version?: Version, say?: (text: string) => void): VsCode;
