namespace LServe.Grains;

/// <summary>What sessions a tenant has; its key is the tenant.</summary>
[Alias("lserve.ISessionListGrain")]
public interface ISessionListGrain : IGrainWithStringKey
{
    /// <summary>Most recently used first, without their messages.</summary>
    /// <param name="limit">Sessions: most to return.</param>
    [Alias("ListAsync")]
    Task<SessionListReply> ListAsync(int limit);
}
