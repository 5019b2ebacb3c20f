// What @jupyter/builder's own configuration lacks: TypeScript straight from src/ (types are tsc's business), and
// names that depend on the sources alone, so that the same commit builds the same files.
module.exports = {
  optimization: { moduleIds: "named", chunkIds: "named" },
  resolve: { extensions: [".ts", ".js"], extensionAlias: { ".js": [".ts", ".js"] } },
  module: {
    rules: [
      // Comments and spaces are for those who read the sources.
      { test: /\.css$/, enforce: "pre", loader: "builtin:lightningcss-loader", options: { minify: true, targets: "chrome 105, firefox 110, safari 16" } },
      {
        test: /\.ts$/,
        loader: "builtin:swc-loader",
        options: { jsc: { parser: { syntax: "typescript" }, target: "es2022" } },
        type: "javascript/auto",
      },
    ],
  },
};
