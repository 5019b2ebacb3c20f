// What @jupyter/builder's own configuration lacks: TypeScript straight from src/ (types are tsc's business), and
// names that depend on the sources alone, so that the same commit builds the same files.
module.exports = {
  optimization: { moduleIds: "named", chunkIds: "named" },
  resolve: { extensions: [".ts", ".js"], extensionAlias: { ".js": [".ts", ".js"] } },
  module: {
    rules: [
      {
        test: /\.ts$/,
        loader: "builtin:swc-loader",
        options: { jsc: { parser: { syntax: "typescript" }, target: "es2022" } },
        type: "javascript/auto",
      },
    ],
  },
};
