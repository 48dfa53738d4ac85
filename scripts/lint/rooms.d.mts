export interface Room {
  readonly name: string;
  readonly paths: readonly string[];
  readonly holds: string;
  readonly uses: readonly string[];
  readonly packages: readonly string[];
  readonly host: boolean;
  readonly kernel?: string;
}

export declare const ROOMS: readonly Room[];
export declare function roomOf(file: string): Room | null;
