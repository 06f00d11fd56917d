namespace LServe.Tests.Tidy;

/// <summary>The solution holds every project, always: the edition decides what they contain.</summary>
public class SolutionTests
{
    [Fact]
    public void EveryProjectStandsInTheSolution() =>
        Tree.AssertNone(Missing(Tree.Find("LServe.Orleans.sln").Text, Project.All.Select(project => project.Path)), "Missing in LServe.Orleans.sln:");

    [Fact]
    public void TestProjectsHaveNamesThatTheFrontDoorFinds() =>
        Tree.AssertNone(
            Project.All.Where(project => project.Packages.Contains("xunit") && !project.Path.EndsWith(".Tests.csproj")).Select(project => project.Path),
            "Test projects whose name doesn't end in .Tests:");

    [Fact]
    public void AMissingProjectIsSeen() =>
        Assert.Equal(["src/B/B.csproj"], Missing("""Project("{0}") = "A", "src\A\A.csproj", "{1}" """, ["src/A/A.csproj", "src/B/B.csproj"]));

    private static IEnumerable<string> Missing(string solution, IEnumerable<string> projects) =>
        projects.Where(project => !solution.Replace('\\', '/').Contains($"\"{project}\""));
}
