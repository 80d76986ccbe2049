// json.js PORT: parses an order, answers with its sums.
const http = require("http");

function answer(order) {
  let total = 0;
  const lines = order.lines.map((line) => {
    const price = line.count * line.price;
    total += price;
    return { sku: line.sku, count: line.count, price };
  });
  return { id: order.id, customer: order.customer.name, lines, total, note: order.note };
}

http.createServer({ noDelay: true }, (request, response) => {
  const parts = [];
  request.on("data", (bytes) => parts.push(bytes));
  request.on("end", () => {
    const body = JSON.stringify(answer(JSON.parse(Buffer.concat(parts))));
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
    response.end(body);
  });
}).listen({ host: "127.0.0.1", port: Number(process.argv[2]), backlog: 4096 });
