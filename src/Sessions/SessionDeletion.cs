using LServe.Contracts;

namespace LServe.Sessions;

/// <summary>Takes a session from the stores: its state first, so that no state ever names pages that are gone.</summary>
public static class SessionDeletion
{
    /// <summary>False when there was nothing to delete.</summary>
    public static async Task<bool> RunAsync(SessionEnvironment environment, SessionKey key, CancellationToken cancellation = default)
    {
        var found = await environment.Store.DeleteAsync(key, cancellation);
        if (environment.Pages is { } pages) await pages.DeleteAsync(key, cancellation);
        return found;
    }
}
