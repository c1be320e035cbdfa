"""Kinds that Wippy has and this runtime does not; naming one is a clear problem, not an unknown kind."""

from __future__ import annotations

LATER_KINDS = (
    *("config.aws", "contract.binding", "contract.definition", "exec.docker", "exec.native", "fs.embed", "pg.scope"),
    *(
        "db.cdc.postgres",
        "db.sql.mysql",
        "db.sql.postgres",
        "db.sql.sqlite",
        "store.kv.crdt",
        "store.kv.raft",
        "store.sql",
    ),
    *("function.lua.bc", "library.lua.bc", "module.lua", "process.lua.bc", "workflow.lua", "workflow.lua.bc"),
    *("network.i2p", "network.socks5", "network.tailscale", "ns.definition", "ns.dependency", "ns.requirement"),
    *("queue.consumer", "queue.driver.amqp", "queue.driver.memory", "queue.driver.sqs", "queue.queue"),
    *("template.jet", "template.set", "temporal.client", "temporal.worker"),
)
