using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>Takes a session from the stores: its state first, so that no state ever names pages that are gone.</summary>
public static class SessionDeletion
{
    /// <summary>False when there was nothing to delete.</summary>
    public static async Task<bool> RunAsync(SessionStores stores, SessionKey key, CancellationToken cancellation = default)
    {
        var found = await stores.Sessions.DeleteAsync(key, cancellation);
        if (stores.Pages is { } pages) await pages.DeleteAsync(key, cancellation);
        return found;
    }
}
