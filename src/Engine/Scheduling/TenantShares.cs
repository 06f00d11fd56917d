namespace LServe.Inference;

/// <summary>
/// Tokens served per tenant, to give the next place to the least served one: virtual token counters (Sheng et al. 2024, "Fairness in
/// Serving Large Language Models", section 4). A tenant that comes back starts level with the least served active one, so idling
/// saves nothing up.
/// </summary>
public sealed class TenantShares
{
    /// <summary>Tenants whose counters are kept; past it the inactive ones are forgotten, which costs them nothing.</summary>
    public const int MaxTenants = 4096;

    private sealed class Share
    {
        public long Served;
        public int Active;
    }

    private readonly Dictionary<string, Share> _shares = [];

    /// <summary>A generation of the tenant begins to wait or run.</summary>
    public void Enter(string tenant)
    {
        if (!_shares.TryGetValue(tenant, out var share))
        {
            if (_shares.Count >= MaxTenants) ForgetInactive();
            _shares[tenant] = share = new();
        }
        if (share.Active++ == 0) share.Served = Math.Max(share.Served, LeastActive(except: share));
    }

    /// <summary>A generation of the tenant has ended.</summary>
    public void Leave(string tenant) => _shares[tenant].Active--;

    /// <summary>Counts rows computed for the tenant.</summary>
    public void Add(string tenant, int tokens) => _shares[tenant].Served += tokens;

    /// <summary>Lower goes first.</summary>
    public long Of(string tenant) => _shares[tenant].Served;

    private long LeastActive(Share except)
    {
        var least = long.MaxValue;
        foreach (var share in _shares.Values)
            if (share.Active > 0 && share != except)
                least = Math.Min(least, share.Served);
        return least == long.MaxValue ? 0 : least;
    }

    private void ForgetInactive()
    {
        foreach (var (tenant, share) in _shares)
            if (share.Active == 0)
                _shares.Remove(tenant);
    }
}
