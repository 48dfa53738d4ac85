export declare function packageExtension(): string;
