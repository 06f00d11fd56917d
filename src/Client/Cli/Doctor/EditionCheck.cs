using System.Reflection;

namespace LServe.Cli.Doctor;

/// <summary>Which edition this program was built as; the project file notes it in the assembly.</summary>
internal static class EditionCheck
{
    public static Finding Look()
    {
        var edition = typeof(EditionCheck).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(note => note.Key == "Edition").Value;
        return edition == "cluster"
            ? new(Health.Good, "edition", "cluster: with Orleans")
            : new(Health.Good, "edition", "single machine: without Orleans; ./lserve --edition says why and how to get the other one");
    }
}
