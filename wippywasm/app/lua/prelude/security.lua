-- The module `security`: who acts, what they may do, and identities to hand on.

local W = ...
local type, error, ipairs = type, error, ipairs
local call_host, failure = W.call_host, W.failure
local identities = W.identities
local facts, own, copy = identities.facts, identities.own, identities.copy
local actor, policy, scope = identities.classes.actor, identities.classes.policy, identities.classes.scope

-- Something of the host's answer, or nil and its error.
local function made(make, answer, err)
  if answer == nil then return nil, err end
  return make(answer), nil
end

local function text(value, name)
  if type(value) ~= "string" then error("bad argument (" .. name .. " must be a string, got " .. type(value) .. ")", 3) end
  return value
end

-- actors ---------------------------------------------------------------------------------------------------------

function actor.id(object) return own(object, "actor").id end
function actor.meta(object) return copy(own(object, "actor").meta) end

-- policies and scopes --------------------------------------------------------------------------------------------

local function evaluate(ids, who, action, resource, meta)
  local known, err = facts(who, "actor", "evaluate")
  if not known then return nil, err end
  return call_host("security.evaluate", ids, known, action, resource, meta)
end

function policy.id(object) return own(object, "policy") end
function policy.evaluate(object, ...) return evaluate({ own(object, "policy") }, ...) end

function scope.evaluate(object, ...) return evaluate(own(object, "scope"), ...) end

function scope.contains(object, id)
  for _, known in ipairs(own(object, "scope")) do
    if known == id then return true end
  end
  return false
end

function scope.policies(object)
  local all = {}
  for i, id in ipairs(own(object, "scope")) do all[i] = identities.policy(id) end
  return all
end

local function less(ids, id)
  local left = {}
  for _, known in ipairs(ids) do
    if known ~= id then left[#left + 1] = known end
  end
  return left
end

function scope.with(object, added)
  local ids = own(object, "scope")
  local id, err = facts(added, "policy", "scope:with")
  if not id then return nil, err end
  local more = less(ids, id)
  more[#more + 1] = id
  return identities.scope(more)
end

function scope.without(object, id)
  local ids = own(object, "scope")
  if type(id) ~= "string" then id = facts(id, "policy", "scope:without") end
  return identities.scope(less(ids, id))
end

-- the module -----------------------------------------------------------------------------------------------------

local security = {}

function security.actor() return (made(identities.actor, call_host("security.actor"))) end
function security.scope() return (made(identities.scope, call_host("security.scope"))) end

function security.can(action, resource, meta)
  local can, err = call_host("security.can", text(action, "action"), text(resource, "resource"), meta)
  if err then error(err, 2) end
  return can
end

function security.new_actor(id, meta) return made(identities.actor, call_host("security.new_actor", id, meta)) end
function security.policy(id) return made(identities.policy, call_host("security.policy", id)) end
function security.named_scope(id) return made(identities.scope, call_host("security.named_scope", id)) end

function security.new_scope(policies)
  if policies ~= nil and type(policies) ~= "table" then
    return nil, failure("INVALID", "security.new_scope takes an array of policies, got " .. type(policies))
  end
  local ok, refused = call_host("security.new_scope")
  if not ok then return nil, refused end
  local new = identities.scope({})
  for _, one in ipairs(policies or {}) do
    local more, err = new:with(one)
    if not more then return nil, err end
    new = more
  end
  return new, nil
end

-- token stores ---------------------------------------------------------------------------------------------------

local store, state_of, new_store = W.class("token store")

-- The id of a store that is still open, or nil and an error object.
local function opened(object)
  local state = state_of(object)
  if state.closed then return nil, failure("INTERNAL", "the token store is closed") end
  return state.id
end

function security.token_store(id)
  local ok, err = call_host("security.token_store", id)
  if not ok then return nil, err end
  return new_store({ id = id }), nil
end

function store.create(object, who, what, options)
  local id, closed = opened(object)
  if not id then return nil, closed end
  local known, no_actor = facts(who, "actor", "store:create")
  if not known then return nil, no_actor end
  local policies, no_scope = facts(what, "scope", "store:create")
  if not policies then return nil, no_scope end
  return call_host("security.create_token", id, known, policies, options)
end

function store.validate(object, token)
  local id, closed = opened(object)
  if not id then return nil, nil, closed end
  local found, err = call_host("security.validate_token", id, token)
  if not found then return nil, nil, err end
  return identities.actor(found.actor), identities.scope(found.scope), nil
end

function store.revoke(object, token)
  local id, closed = opened(object)
  if not id then return nil, closed end
  return call_host("security.revoke_token", id, token)
end

function store.close(object)
  state_of(object).closed = true
  return true
end

W.modules.security = security
