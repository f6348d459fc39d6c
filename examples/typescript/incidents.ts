// Prints every incident once. In this directory: npm ci && npm run build && BROKER=kafka:9092 npm start
import { Kafka, logLevel } from "kafkajs";
import type { Topics } from "../../docs/contract/wellsentry";

const { BROKER = "localhost:9092", PREFIX = "wellsentry" } = process.env;

const kafka = new Kafka({ brokers: [BROKER], logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId: "night-shift-in-typescript" });
await consumer.connect();
await consumer.subscribe({ topic: `${PREFIX}.incidents`, fromBeginning: true });

const done = new Set<string>(); // in earnest a table with this as its unique key
await consumer.run({
  eachMessage: async ({ message }) => {
    const incident: Topics["incidents"] = JSON.parse(message.value!.toString());
    const { incident_id, machine_id, state, peak_surprise, expected_low, expected_high } = incident;
    const once = `${incident_id} ${state}`; // delivery is at least once
    if (done.has(once)) return;
    done.add(once);
    const usual = expected_low === null ? "" : `usual ${expected_low} to ${expected_high}`;
    console.log(machine_id, state, incident_id, peak_surprise, usual);
  },
});
