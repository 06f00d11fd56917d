namespace LServe.Contracts;

/// <summary>Names a session: <c>tenant/session</c>. Both parts are 1 … 128 characters without <c>/</c> or control characters.</summary>
public readonly record struct SessionKey
{
    public const int MaxPartLength = 128;
    public const string DefaultTenant = "default";

    public string Tenant { get; }
    public string Session { get; }

    /// <exception cref="LServeException">A part is empty, too long or has a character it may not have.</exception>
    public SessionKey(string tenant, string session)
    {
        Tenant = Checked(tenant, "tenant");
        Session = Checked(session, "session");
    }

    /// <summary>Reads <c>tenant/session</c>.</summary>
    /// <exception cref="LServeException">The text has no <c>/</c>, or a part is refused.</exception>
    public static SessionKey Parse(string key)
    {
        var slash = key.IndexOf('/');
        return slash < 0
            ? throw LServeException.Invalid($"'{key}' is no session key: write tenant/session.", "session")
            : new SessionKey(key[..slash], key[(slash + 1)..]);
    }

    public override string ToString() => Tenant + "/" + Session;

    private static string Checked(string part, string name)
    {
        if (string.IsNullOrEmpty(part) || part.Length > MaxPartLength)
            throw LServeException.Invalid($"A {name} name has 1 to {MaxPartLength} characters; this one has {part?.Length ?? 0}.", name);
        foreach (var c in part)
            if (c == '/' || char.IsControl(c))
                throw LServeException.Invalid($"A {name} name can't contain '/' or control characters.", name);
        return part;
    }
}
